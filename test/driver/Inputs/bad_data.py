"""Writes arrays that do not fit glyph_mobilenet, and files that are no arrays: bad_data.py FOLDER."""
import io
import sys

import numpy as np

(folder,) = sys.argv[1:]


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def write(name, content):
    with open(f"{folder}/{name}", "wb") as file:
        file.write(content)


images = np.zeros((2, 1, 32, 32), np.float32)
whole = npy(images)
write("format.npy", whole.replace(b"NUMPY\x01", b"NUMPY\x09"))
write("magic.npy", b"\x93NUMPX" + whole[6:])
write("header.npy", whole[:40])
write("data.npy", whole[:-4])
write("shape.npy", whole.replace(b"(2, 1", b"(x, 1"))
write("structure.npy", npy(np.zeros(2, [("a", np.float32)])))
write("text.npy", npy(np.array(["a", "b"])))
for name, array in {
        "images": images, "many": np.zeros((600, 1, 32, 32), np.float32), "size": np.zeros((2, 1, 32, 31), np.float32),
        "rank": np.zeros((2, 2), np.float32), "none": images[:0], "labels": np.int64([99, 0]), "no_labels": np.int64([]),
        "tokens": np.int64([1, 2, 3]), "windows": np.int64([[1, 2, 3]])}.items():
    write(f"{name}.npy", npy(array))
for name, array in {"size": np.zeros((2, 1, 32, 31), np.float32), "tall": np.zeros((2, 3, 1, 32, 32), np.float32),
                    "scalar": np.float32(1), "nan": images * np.nan}.items():
    np.savez(f"{folder}/{name}.npz", input=array)
np.savez(f"{folder}/labels.npz", labels=np.int64([1]))
np.savez(f"{folder}/whole.npz", input=images)
with open(f"{folder}/whole.npz", "rb") as file:
    content = file.read()
write("cut.npz", content[:-30])
place = content.index(b"NUMPY")
write("damaged.npz", content[:place + 200] + b"\xff" + content[place + 201:])
