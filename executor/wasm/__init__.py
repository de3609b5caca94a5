"""A small WebAssembly assembler: encoding, opcodes, structured code with exact fuel, and the engine's
settings."""
