"""How often Python looks for unreachable cycles of objects. A lane makes none, and its batches are tens of thousands of objects that
go with their last reference; left alone, Python looks through them and all the rest after every 700 new ones: a quarter of a worker's
processor time, and pauses of 0.1 s and more.
"""

import gc

_YOUNG = 200_000  # more than the lanes of a process have in their hands at once
_OLDER = (50, 100)


def look_seldom() -> None:
    """From now on look when so many more objects are alive than at the last look: what others leave behind is still found.

    What is alive now is looked through no more: modules, schemas, the policy, the application stay until the process ends.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *_OLDER)
