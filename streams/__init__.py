"""What follows from the records: pure folds. No I/O, no clock, no Faust, no asyncio."""
