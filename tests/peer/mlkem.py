"""ML-KEM-768 (FIPS 203), written from the standard and slowly, for the peer in p2ppeer.py.

Not for anything secret: it takes a different time for different keys.
"""

import hashlib

Q, N, K = 3329, 256, 3
ETA, DU, DV = 2, 10, 4  # both etas are 2

KEY_SIZE = 384 * K + 32
CIPHERTEXT_SIZE = 32 * (DU * K + DV)


def reverse_bits(number):
    return int(f"{number:07b}"[::-1], 2)


ZETAS = [pow(17, reverse_bits(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * reverse_bits(i) + 1, Q) for i in range(128)]


def prf(seed, nonce):
    return hashlib.shake_256(seed + bytes([nonce])).digest(64 * ETA)


def hash_h(data):
    return hashlib.sha3_256(data).digest()


def hash_g(data):
    digest = hashlib.sha3_512(data).digest()
    return digest[:32], digest[32:]


def to_bytes(numbers, bits):
    """ByteEncode: the numbers, of so many bits each, least significant bit first."""
    packed = sum(number << (bits * i) for i, number in enumerate(numbers))
    return packed.to_bytes(len(numbers) * bits // 8, "little")


def from_bytes(data, bits):
    packed = int.from_bytes(data, "little")
    return [packed >> (bits * i) & ((1 << bits) - 1) for i in range(N)]


def compress(numbers, bits):
    return [((number << bits) + Q // 2) // Q % (1 << bits) for number in numbers]


def decompress(numbers, bits):
    return [(number * Q + (1 << (bits - 1))) >> bits for number in numbers]


def sample_uniform(seed, i, j):
    """SampleNTT."""
    stream = hashlib.shake_128(seed + bytes([i, j])).digest(2000)
    numbers = []
    for at in range(0, len(stream), 3):
        low, middle, high = stream[at:at + 3] if at + 3 <= len(stream) else (255, 255, 255)
        numbers += [n for n in (low + 256 * (middle % 16), middle // 16 + 16 * high) if n < Q]
    return numbers[:N]


def sample_small(data):
    """SamplePolyCBD with eta 2."""
    bits = from_bits(data)
    return [(bits[4 * i] + bits[4 * i + 1] - bits[4 * i + 2] - bits[4 * i + 3]) % Q
            for i in range(N)]


def from_bits(data):
    packed = int.from_bytes(data, "little")
    return [packed >> i & 1 for i in range(8 * len(data))]


def ntt(values):
    values, i, length = list(values), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i + 1
            for j in range(start, start + length):
                turned = zeta * values[j + length] % Q
                values[j + length] = (values[j] - turned) % Q
                values[j] = (values[j] + turned) % Q
        length //= 2
    return values


def inverse_ntt(values):
    values, i, length = list(values), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i - 1
            for j in range(start, start + length):
                low = values[j]
                values[j] = (low + values[j + length]) % Q
                values[j + length] = zeta * (values[j + length] - low) % Q
        length *= 2
    return [value * 3303 % Q for value in values]


def multiply(one, other):
    product = []
    for i in range(128):
        a, b = one[2 * i:2 * i + 2]
        c, d = other[2 * i:2 * i + 2]
        product += [(a * c + b * d * GAMMAS[i]) % Q, (a * d + b * c) % Q]
    return product


def add(*polynomials):
    return [sum(values) % Q for values in zip(*polynomials)]


def dot(one, other):
    return add(*map(multiply, one, other))


def matrix(seed):
    return [[sample_uniform(seed, j, i) for j in range(K)] for i in range(K)]


class KeyPair:
    """Made from d and z; `public` is the encapsulation key."""

    def __init__(self, d, z):
        rho, sigma = hash_g(d + bytes([K]))
        self.secret = [ntt(sample_small(prf(sigma, i))) for i in range(K)]
        errors = [ntt(sample_small(prf(sigma, K + i))) for i in range(K)]
        rows = [add(dot(row, self.secret), error) for row, error in zip(matrix(rho), errors)]
        self.public = b"".join(to_bytes(row, 12) for row in rows) + rho
        self.z = z

    def decapsulate(self, ciphertext):
        """The secret; another one that nobody knows if the ciphertext was not made for us."""
        parts = [ciphertext[320 * i:320 * (i + 1)] for i in range(K)]
        u = [decompress(from_bytes(part, DU), DU) for part in parts]
        v = decompress(from_bytes(ciphertext[320 * K:], DV), DV)
        masked = inverse_ntt(dot(self.secret, [ntt(one) for one in u]))
        message = to_bytes(compress(add(v, [-value for value in masked]), 1), 1)
        secret, coins = hash_g(message + hash_h(self.public))
        if encrypt(self.public, message, coins) != ciphertext:
            return hashlib.shake_256(self.z + ciphertext).digest(32)
        return secret


def encrypt(public, message, coins):
    rows = [from_bytes(public[384 * i:384 * (i + 1)], 12) for i in range(K)]
    blinds = [ntt(sample_small(prf(coins, i))) for i in range(K)]
    errors = [sample_small(prf(coins, K + i)) for i in range(K)]
    columns = list(zip(*matrix(public[384 * K:])))
    u = [add(inverse_ntt(dot(column, blinds)), error) for column, error in zip(columns, errors)]
    noise = sample_small(prf(coins, 2 * K))
    text = decompress(from_bytes(message, 1), 1)
    v = add(inverse_ntt(dot(rows, blinds)), noise, text)
    return b"".join(to_bytes(compress(one, DU), DU) for one in u) + to_bytes(compress(v, DV), DV)


def is_key(public):
    """Whether every coefficient is reduced (7.2)."""
    return len(public) == KEY_SIZE and all(
        number < Q for i in range(K) for number in from_bytes(public[384 * i:384 * (i + 1)], 12))


def encapsulate(public, m):
    """Secret and ciphertext for the owner of the key, from 32 random bytes."""
    secret, coins = hash_g(m + hash_h(public))
    return secret, encrypt(public, m, coins)
