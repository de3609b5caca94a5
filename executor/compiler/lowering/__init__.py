"""From a node of the IR to the kernels that compute it: a file a subject."""
