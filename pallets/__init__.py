"""The pallets, one folder each. None imports another; the runtime plugs them together."""
