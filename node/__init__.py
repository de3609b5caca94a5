"""The node: one chain, its pool, the drivers that seal blocks, and JSON-RPC over it all."""
