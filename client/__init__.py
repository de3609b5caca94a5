"""The SDK: keys, datasets, jobs and the provider daemon, over JSON-RPC and metadata alone.

`rpc.py` is the only path to a node; `chain.py` reads and writes the chain through its metadata, so no pallet
is imported here.
"""
