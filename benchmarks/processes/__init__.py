"""Several server processes on one port beside one."""
