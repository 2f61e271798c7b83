"""Attention of com.microsoft: 2 sequences, 4 heads of size 8 unless it is said otherwise."""
import numpy as np

from cases import Case, case, cases


@case
def attention(c):
    return c.node("Attention", [c.array(2, 3, 16), (c.array(16, 96, scale=0.3),), (c.array(96),), np.int32([[1, 1, 1], [1, 1, 0]])],
                  num_heads=4)


@case
def attention_causal(c):
    return c.node("Attention", [c.array(2, 3, 16), (c.array(16, 96, scale=0.3),), (c.array(96),)], num_heads=4, unidirectional=1)


@case
def multi_head_attention(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 5, 32), c.array(2, 5, 32)], num_heads=4)


@case
def multi_head_attention_bias(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 5, 32), c.array(2, 5, 32), (c.array(96),),
                                         np.int32([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0]])], num_heads=4, scale=0.25)


@case
def multi_head_attention_lengths(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 5, 32), c.array(2, 5, 32), "", np.int32([4, 2])],
                  num_heads=4)


def part(packed, index):
    return packed[:, :, :, index].reshape(*packed.shape[:2], -1)


@case
def multi_head_attention_packed(c):
    packed = c.array(2, 3, 4, 3, 8)
    c.reference = Case("").node("MultiHeadAttention", [part(packed, i) for i in range(3)], num_heads=4)
    return c.node("MultiHeadAttention", [packed], num_heads=4)


@case
def multi_head_attention_packed_keys(c):
    query, packed = c.array(2, 3, 32), c.array(2, 5, 4, 2, 8)
    c.reference = Case("").node("MultiHeadAttention", [query, part(packed, 0), part(packed, 1)], num_heads=4)
    return c.node("MultiHeadAttention", [query, packed], num_heads=4)


@case
def multi_head_attention_cross(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 4, 5, 8), c.array(2, 4, 5, 8)], num_heads=4)


@case
def multi_head_attention_past(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 3, 32), c.array(2, 3, 32), "", "", c.array(1, 4, 3, 7),
                                         c.array(2, 4, 4, 8), c.array(2, 4, 4, 8)], ["y", "k", "v"], num_heads=4)


@case
def multi_head_attention_causal(c):
    return c.node("MultiHeadAttention", [c.array(2, 3, 32), c.array(2, 3, 32), c.array(2, 3, 32)], num_heads=4, unidirectional=1)


# As many queries and keys as take several blocks, the last of them with few.

@case
def multi_head_attention_blocks(c):
    return c.node("MultiHeadAttention", [c.array(1, 37, 32), c.array(1, 70, 32), c.array(1, 70, 32)], num_heads=2)


@case
def multi_head_attention_blocks_bias(c):
    return c.node("MultiHeadAttention", [c.array(1, 37, 32), c.array(1, 2, 70, 16), c.array(1, 2, 70, 16), "", "",
                                         c.array(1, 2, 37, 70)], num_heads=2)


@case
def multi_head_attention_blocks_causal(c):
    return c.node("MultiHeadAttention", [c.array(1, 37, 32), c.array(1, 37, 32), c.array(1, 37, 32)], num_heads=2,
                  unidirectional=1)


@cases(group_query_attention=dict(batch=2, tokens=3, past=0, lengths=[3, 3]),
       group_query_attention_packed=dict(batch=2, tokens=3, past=0, lengths=[3, 3], packed=True, rotary=True),
       group_query_attention_past=dict(batch=2, tokens=1, past=4, lengths=[5, 5], rotary=True),
       group_query_attention_lengths=dict(batch=2, tokens=1, past=4, lengths=[5, 3], rotary=True),
       group_query_attention_interleaved=dict(batch=1, tokens=2, past=4, lengths=[6], rotary=True, rotary_interleaved=1,
                                              scale=0.3),
       group_query_attention_window=dict(batch=1, tokens=3, past=4, lengths=[7], local_window_size=2),
       group_query_attention_window_start=dict(batch=1, tokens=5, past=0, lengths=[5], local_window_size=2),
       group_query_attention_softcap=dict(batch=1, tokens=2, past=4, lengths=[6], softcap=2.0))
def group_query(c, batch, tokens, past, lengths, packed=False, rotary=False, **attributes):
    """4 heads of size 16 that share 2 of keys."""
    heads, keys, size = 4, 2, 16
    if packed:
        inputs = [c.array(batch, tokens, (heads + 2 * keys) * size), "", ""]
    else:
        inputs = [c.array(batch, tokens, heads * size), c.array(batch, tokens, keys * size), c.array(batch, tokens, keys * size)]
    for _ in range(2):
        inputs.append(c.array(batch, keys, past, size) if past else "")
        for sequence in range(batch * bool(past)):  # nothing lies behind the end of what was
            inputs[-1][sequence, :, lengths[sequence] - tokens:] = 0
    inputs += [np.int32(lengths) - 1, np.int32(max(lengths))]
    if rotary:
        angles = np.arange(10)[:, None] / 10 ** (np.arange(size // 2)[None] / 8)
        inputs += [(np.cos(angles).astype(np.float32),), (np.sin(angles).astype(np.float32),)]
    return c.node("GroupQueryAttention", inputs, ["y", "k", "v"], num_heads=heads, kv_num_heads=keys, do_rotary=int(rotary),
                  **attributes)


def rotary(c, x, positions, **attributes):
    angles = np.arange(10)[:, None] / 10 ** (np.arange(4)[None] / 4)
    return c.node("RotaryEmbedding", [x, positions, (np.cos(angles).astype(np.float32),), (np.sin(angles).astype(np.float32),)],
                  **attributes)


@case
def rotary_embedding(c):
    return rotary(c, c.array(2, 3, 32), np.int64([4]))


@case
def rotary_embedding_positions(c):
    return rotary(c, c.array(2, 4, 3, 8), np.int64([[0, 1, 2], [5, 2, 7]]), interleaved=1)


@case
def rotary_embedding_partial(c):
    return rotary(c, c.array(2, 3, 48), np.int64([[0, 1, 2], [5, 2, 7]]), num_heads=4, rotary_embedding_dim=8)
