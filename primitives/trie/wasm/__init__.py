"""The trie's pass over a block's changes as a WebAssembly program, of integers only, and its host side.

| file | what it is |
|---|---|
| `blake2b.py` | the hash function, as WebAssembly text |
| `memory.wat` | the layout of memory, blocks for nodes |
| `node.wat` | the encoding of nodes |
| `items.wat` | the changes of a block |
| `pass.wat` | the pass itself |
| `arena.wat` | what the host calls |
| `machine.py` | an instance of the program |
| `arena.py` | a trie that lives in one |
| `roots.py` | the root over a list |
"""
