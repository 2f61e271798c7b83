"""Recurrent layers, of which ONNX tests few forms: 5 steps of 2 sequences of 4 numbers, states of 6."""
import numpy as np

from cases import cases

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@cases(lstm_lengths=dict(op="LSTM", lengths=[5, 3], directions=2),
       gru_lengths=dict(op="GRU", lengths=[2, 5], directions=2, linear_before_reset=1),
       rnn_lengths=dict(op="RNN", lengths=[4, 2], direction="reverse"),
       lstm_clip=dict(op="LSTM", clip=0.5),
       lstm_coupled=dict(op="LSTM", input_forget=1),
       lstm_activations=dict(op="LSTM", activations=["HardSigmoid", "ScaledTanh", "Softsign"], activation_alpha=[0.3, 0.8],
                             activation_beta=[0.4, 1.2]),
       gru_activations=dict(op="GRU", activations=["Sigmoid", "LeakyRelu"], activation_alpha=[0.1], clip=1.5),
       rnn_activations=dict(op="RNN", directions=2, activations=["Elu", "Softplus"], activation_alpha=[0.7]),
       rnn_affine=dict(op="RNN", directions=2, activations=["Affine", "ThresholdedRelu"], activation_alpha=[0.5, 0.2],
                       activation_beta=[0.1]))
def recurrent(c, op, lengths=None, directions=1, **attributes):
    gates = GATES[op]
    inputs = [c.array(5, 2, 4), (c.array(directions, gates * 6, 4, scale=0.5),), (c.array(directions, gates * 6, 6, scale=0.5),),
              (c.array(directions, gates * 12, scale=0.5),), "" if lengths is None else np.int32(lengths)]
    outputs = ["y", "h", "c"] if op == "LSTM" else ["y", "h"]
    if directions == 2:
        attributes["direction"] = "bidirectional"
    return c.node(op, inputs, outputs, domain="", hidden_size=6, **attributes)
