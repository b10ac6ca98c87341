"""The numbers that the encryption of `lattice.py` rests on; decision 0011 argues them.

The homomorphic encryption standard (Albrecht et al. 2018, table 1) has, at DEGREE 4,096
and with dense ternary secrets, a modulus of 75 bits for 192-bit security. Here it has
64 bits, but only WEIGHT coefficients of a secret are not 0, which the table does not
cover: `python -m bench.lattice_security` reckons what that costs.
"""

DEGREE = 4_096
HALF = DEGREE // 2
WEIGHT = 256  # coefficients of a secret polynomial that are not 0
COINS = 32  # an error is how many of them show heads, less half: deviation 2.8
SEED = 32  # bytes
STEP_BITS = 19  # below them there is room for errors
MESSAGE_BITS = 64 - STEP_BITS
FLOOD_BITS = 17  # an answer's own error, uniform, hides those of the rows in it
MOST_ROWS = 1 << 24  # their errors together stay below the room
