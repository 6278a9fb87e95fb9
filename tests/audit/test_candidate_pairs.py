"""The index finds the same pairs as a comparison of all."""

from itertools import combinations

import numpy as np

from aver.audit.candidate_pairs import candidate_pairs, equal_keys, pack_keys, probe_keys


def test_equal_keys_are_those_of_comparing_all():
    random = np.random.default_rng(3)
    base = random.integers(0, 50, 300).astype(np.uint32)
    queries = random.integers(0, 50, (40, 3)).astype(np.uint32)
    query, item = equal_keys(base, queries)
    expected = sorted(
        (q, i) for q in range(40) for key in queries[q] for i in range(300) if base[i] == key
    )
    assert sorted(zip(query.tolist(), item.tolist(), strict=True)) == expected


def test_probes_flip_the_three_least_certain_bits():
    bits = np.array([[True, False, True, True, False]])
    margins = np.array([[0.9, 0.1, 0.2, 0.8, 0.3]])
    (key,) = pack_keys(bits)
    assert key == 1 + 4 + 8
    (probes,) = probe_keys(np.array([key]), margins)
    weak = [1 << 1, 1 << 2, 1 << 4]
    expected = {int(key) ^ sum(c) for r in range(4) for c in combinations(weak, r)}
    assert set(probes.tolist()) == expected
    assert probes[0] == key


def test_nearly_all_correlated_rows_are_found():
    random = np.random.default_rng(4)
    base = random.standard_normal((2000, 97)).astype(np.float32)
    near = base[:500] + 0.35 * random.standard_normal((500, 97)).astype(np.float32)
    rows = np.vstack([base, near])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    similarity = rows @ rows.T
    all_close = {(int(i), int(j)) for i, j in np.argwhere(np.triu(similarity, 1) > 0.9)}
    found = {tuple(pair) for pair in candidate_pairs(rows, [rows], min_correlation=0.9).tolist()}
    assert found <= all_close
    assert len(found) >= 0.97 * len(all_close) > 400
