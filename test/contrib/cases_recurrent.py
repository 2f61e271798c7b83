"""Recurrent layers, of which ONNX tests few forms: 5 steps of 2 sequences of 4 numbers, states of 6."""
import numpy as np

from cases import case


def recurrent(c, op, gates, lengths=None, directions=1, **attributes):
    inputs = [c.array(5, 2, 4), (c.array(directions, gates * 6, 4, scale=0.5),), (c.array(directions, gates * 6, 6, scale=0.5),),
              (c.array(directions, gates * 12, scale=0.5),), "" if lengths is None else np.int32(lengths)]
    outputs = ["y", "h", "c"] if op == "LSTM" else ["y", "h"]
    if directions == 2:
        attributes["direction"] = "bidirectional"
    return c.node(op, inputs, outputs, domain="", hidden_size=6, **attributes)


@case
def lstm_lengths(c):
    return recurrent(c, "LSTM", 4, [5, 3], directions=2)


@case
def gru_lengths(c):
    return recurrent(c, "GRU", 3, [2, 5], directions=2, linear_before_reset=1)


@case
def rnn_lengths(c):
    return recurrent(c, "RNN", 1, [4, 2], direction="reverse")


@case
def lstm_clip(c):
    return recurrent(c, "LSTM", 4, clip=0.5)


@case
def lstm_coupled(c):
    return recurrent(c, "LSTM", 4, input_forget=1)


@case
def lstm_activations(c):
    return recurrent(c, "LSTM", 4, activations=["HardSigmoid", "ScaledTanh", "Softsign"], activation_alpha=[0.3, 0.8],
                     activation_beta=[0.4, 1.2])


@case
def gru_activations(c):
    return recurrent(c, "GRU", 3, activations=["Sigmoid", "LeakyRelu"], activation_alpha=[0.1], clip=1.5)


@case
def rnn_activations(c):
    return recurrent(c, "RNN", 1, directions=2, activations=["Elu", "Softplus"], activation_alpha=[0.7])


@case
def rnn_affine(c):
    return recurrent(c, "RNN", 1, directions=2, activations=["Affine", "ThresholdedRelu"], activation_alpha=[0.5, 0.2],
                     activation_beta=[0.1])
