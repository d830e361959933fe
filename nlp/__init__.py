"""One petition in, one routing suggestion out: no HTTP, no SQL, no training loop, no torch."""
