"""Files of private note keys: written once, read only where nobody else could have read or exchanged them."""
