"""What is wrong with a deployment, and how is it mended? `tierstream doctor` asks machine, policy, broker, topics, rights and state.

Rules: every check runs that can, and says what it found; one that cannot run says why; nothing is changed. The only thing written is one
transaction that is aborted (`probing.py`), which nobody reads.
"""
