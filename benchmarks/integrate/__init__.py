"""How fast events become leaves: the tree alone, and tree, tiles and bundles on disk."""
