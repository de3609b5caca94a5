"""`gristmill benchmark`: what calls, blocks and the database cost on this machine, and what is declared."""
