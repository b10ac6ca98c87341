"""Networks that every party trains on its own rows, and means of what they learnt."""
