"""What compiled code writes beside a row that it has changed."""

from schemas.compiling import compiled
from streams.account_memory import Memory


@compiled
def mark(memory: Memory, number: int, deadline_ms: int) -> None:
    """The account's deadline in its column, and the account among those that changed."""
    memory.deadlines[number] = deadline_ms
    if memory.touched[number] == 0:
        memory.touched[number] = 1
        memory.touched_list[memory.touched_count[0]] = number
        memory.touched_count[0] += 1
