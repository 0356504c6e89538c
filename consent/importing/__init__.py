"""Import of choices made in another system, one line of a file each.

What an import may do to a choice that is stored already, about the same person, purpose and part:

- the newer choice stays: a line older than what is stored is refused, and so is a yes of the same millisecond;
- a yes against a stored no, to the same or to a broader part, counts only if it is newer *and* proven: its line names
  a notice of the register, the language it was read in, and where or how the question was put;
- a no needs no proof, and of the same millisecond as a stored yes it wins.

So a stored no is never turned into a yes by an import, except by a later choice that could be shown to a court. Lines
of one person must stand in the order of time; a line that comes too late is refused (``out_of_order``), and in
any order, the choice that ends up in force is the newest one.
"""
