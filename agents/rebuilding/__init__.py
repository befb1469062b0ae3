"""State made anew from the inputs, in the order in which another application folded them: for a policy that the old state has no past for.

A new application folds what the old one's `fold-order` says, in mode REBUILD, into its own changelog, fold-order and outputs. The old one
may work on meanwhile; the rebuild is repeated, which takes it to the new end, until workers of the new application are started.
"""
