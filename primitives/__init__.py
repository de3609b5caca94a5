"""What every layer speaks: SCALE, hashes, keys, extrinsics, the trie, and the shared data and job types."""
