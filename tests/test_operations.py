"""What one forward and backward pass starts on a device, counted on tensors without values."""

from bench.gpu.operations import summarise


def test_a_layer_moves_no_more_data_than_it_must():
    """Heads share keys and values without copies of them, and no gradient of an index is written into zeros."""
    found = summarise("tiny")
    assert found["layer"] <= 111
    assert found["copies"] == {"_to_copy": 8, "cat": 2, "clone": 2, "slice_backward": 4}
    assert found["of_layer"]["_varlen_attn"] == found["of_layer"]["_varlen_attn_backward"] == 1
    assert found["around"] < 100
