"""Content-addressed bytes kept by the chain, outside the state trie."""

from pallets.blobs.pallet import BlobInfo, Blobs, Config

__all__ = ["BlobInfo", "Blobs", "Config"]
