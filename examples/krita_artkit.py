"""Send Krita's active layer to a running artkit studio, and put the picture that comes back on a new layer above it.

Start the studio (`artkit studio`), open this file in Krita at Tools > Scripts > Scripter, and run it there. CHAIN,
SEED, ADDRESS and TOKEN below say what to make and where. Outside Krita it sends a file, which needs Python alone:

    python examples/krita_artkit.py examples/semantic.png art.png --chain pix2pix,touchup
"""

import argparse
import json
import struct
import urllib.error
import urllib.request
import uuid
import zlib
from pathlib import Path

ADDRESS = "http://127.0.0.1:8765"
TOKEN = ""  # what the studio's address says after ?token=, where it listens to other machines
CHAIN = "pix2pix,touchup"
SEED = 0
PATIENCE = 900  # seconds


class Refused(Exception):
    """The studio makes no such picture; it says why in one line."""


def form_of(fields: dict[str, str], files: dict[str, bytes]) -> tuple[bytes, str]:
    """Return a multipart form (RFC 7578) and its content type."""
    boundary = uuid.uuid4().hex
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [
        (f'name="{name}"; filename="{name}.png"\r\nContent-Type: image/png', data) for name, data in files.items()
    ]
    head = f"--{boundary}\r\nContent-Disposition: form-data; "
    body = b"".join(f"{head}{what}\r\n\r\n".encode() + data + b"\r\n" for what, data in parts)
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def paint(png: bytes, chain: str = CHAIN, seed: int = SEED, address: str = ADDRESS, token: str = TOKEN) -> bytes:
    """Return the PNG that a studio's chain makes of one. Raises Refused."""
    body, kind = form_of({"chain": chain, "seed": str(seed), "client": "krita"}, {"input": png})
    headers = {"Content-Type": kind, "Accept": "image/png"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{address.rstrip('/')}/api/run", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise Refused(json.load(error)["error"]) from None
    except OSError as error:
        raise Refused(f"No studio answers at {address} ({error}): start one with: artkit studio") from None


def png_of(width: int, height: int, bgra: bytes) -> bytes:
    """Return the pixels of a layer, 8 bits in the order blue, green, red, alpha, as a PNG without alpha.

    Where nothing is painted the layer is white.
    """
    rows = bytearray()
    for y in range(height):
        row = bytearray(3 * width)
        pixels = bgra[4 * width * y : 4 * width * (y + 1)]
        for channel in range(3):
            levels = zip(pixels[2 - channel :: 4], pixels[3::4], strict=True)
            row[channel::3] = bytes((level * alpha + 255 * (255 - alpha)) // 255 for level, alpha in levels)
        rows += b"\0" + row  # each row is led by its filter: 0, none
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def paint_layer(krita) -> None:
    """Send the active layer and put the answer above it."""
    from PyQt5.QtGui import QImage  # comes with Krita

    document = krita.Krita.instance().activeDocument()
    layer, width, height = document.activeNode(), document.width(), document.height()
    made = QImage.fromData(paint(png_of(width, height, bytes(layer.pixelData(0, 0, width, height)))))
    made = made.convertToFormat(QImage.Format_ARGB32).scaled(width, height)  # bytes in the order of Krita's own
    pixels = made.constBits()
    pixels.setsize(made.byteCount())
    above = document.createNode(f"{CHAIN}, seed {SEED}", "paintlayer")
    above.setPixelData(bytes(pixels), 0, 0, width, height)
    layer.parentNode().addChildNode(above, layer)
    document.refreshProjection()


def main() -> None:
    """Paint the active layer in Krita, or a file from a shell."""
    try:
        import krita
    except ImportError:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("picture", type=Path)
        parser.add_argument("output", type=Path)
        parser.add_argument("--chain", default=CHAIN)
        parser.add_argument("--seed", type=int, default=SEED)
        parser.add_argument("--address", default=ADDRESS)
        parser.add_argument("--token", default=TOKEN)
        told = parser.parse_args()
        try:
            told.output.write_bytes(paint(told.picture.read_bytes(), told.chain, told.seed, told.address, told.token))
        except (Refused, OSError) as error:
            parser.exit(1, f"{error}\n")
    else:
        paint_layer(krita)


if __name__ == "__main__":
    main()
