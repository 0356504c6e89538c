"""Recompute a version's figures and digests from the bytes: its artifact, its data snapshot, its evaluation.

A figure is *verified* when it comes out of whole, signed files again. Once people left a file, or its retention is
over, what was signed of it is all there is: *digest only*. What comes out otherwise *differs*, and what nothing here
can bear out is *missing*.
"""
