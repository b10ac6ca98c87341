"""What a mesh writes beside its data goes when its time is over; the ledgers stay."""
