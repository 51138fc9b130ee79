"""Buckets for tests: one in memory, and one of an S3 server of this process where its packages are here."""

from __future__ import annotations

import os
from collections.abc import Iterator

import fsspec
import pytest

from artkit.buckets import BucketPath

NEEDS_S3 = "S3 is tested with s3fs and moto: pip install s3fs 'moto[s3,server]'"


def memory_bucket() -> Iterator[BucketPath]:
    """Return an empty bucket in memory; a fixture's function."""
    fsspec.filesystem("memory").store.clear()
    yield BucketPath("memory", "photos")
    fsspec.filesystem("memory").store.clear()


def s3_bucket() -> Iterator[BucketPath]:
    """Return a bucket of an S3 server; a fixture's function, for a module, which is skipped without s3fs and moto."""
    pytest.importorskip("s3fs", reason=NEEDS_S3)
    server_of = pytest.importorskip("moto.server", reason=NEEDS_S3)
    server = server_of.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    told = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "hunter2",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setitem(os.environ, name, value)
        bucket = f"photos-{port}"  # the server's buckets are the process's
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir(bucket)
        yield BucketPath("s3", bucket)
    fsspec.filesystem("s3").clear_instance_cache()
    server.stop()
