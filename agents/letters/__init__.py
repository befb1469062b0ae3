"""Dead letters for operators: which there are, what is in them, and their records back on the topics they came from."""
