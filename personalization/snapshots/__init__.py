"""Files that a version's figures can be recomputed from: the data it learnt from, and the lists it was measured by.

Both are Parquet below the folder of models, a row a touch and a row a person asked, by pseudonym. Who is in them stands
in ``SnapshotPerson``, a data set of retention: a withdrawal, an erasure or a schedule deletes rows there, and the files
are written anew without the person in the same transaction, before it commits. From then on the figures have a digest,
and can no longer be recomputed.
"""
