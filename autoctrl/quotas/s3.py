"""What a bucket holds: ``type = "s3"``. The protocol has no quota, so the objects are counted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from autoctrl.config import Adapter, QuotaSettings, read_secret_lines, setting
from autoctrl.errors import MissingExtra, QuotaError, SettingsError
from autoctrl.files import write_whole
from autoctrl.model.names import QUOTAS
from autoctrl.model.quota import Usage
from autoctrl.quotas.bucket_count import BucketCount, read_count

if TYPE_CHECKING:
    from pathlib import Path

    from autoctrl.config import Settings

GB = 10**9
PACE_S = 8.0  # how long one question counts; less than a question may take
REQUEST_LIMIT_S = 5


@dataclass(frozen=True)
class S3QuotaSettings(QuotaSettings):
    """``[quotas.<name>]`` with ``type = "s3"``: a bucket, or what lies below a prefix in it."""

    url: str = setting("Address of the service, as `https://s3.example.org`.")
    bucket: str = setting("Bucket that is counted.")
    key_file: str = setting("File with the access key on its first line, the secret on its second.")
    limit_gb: float = setting("How much is allowed, GB of 10⁹ bytes.", least=0.001)
    prefix: str = setting("Only objects whose names begin like this; empty: all.", "")
    region: str = setting("Region of the bucket, as the service calls it.", "us-east-1")
    recount_s: float = setting(
        "How long a whole count is good before the next begins, seconds.", 3600.0, least=1
    )


class S3Quota:
    """What a bucket holds, counted a few seconds at a time; how far it got is kept in a file."""

    def __init__(
        self, name: str, section: S3QuotaSettings, keys: tuple[str, str], kept: Path
    ) -> None:
        """Be named as the settings name it; ``kept`` is the file of the count."""
        self.name, self._section, self._keys, self._kept = name, section, keys, kept

    def ask(self) -> Usage | None:
        """Return the last whole count, None before the first. Raises ``QuotaError``."""
        section = self._section
        where = f"{section.url} {section.bucket} {section.prefix}"
        count = read_count(self._read(), where)
        if count.is_due(time.time(), section.recount_s):
            count = self._go_on(count)
        if count.whole_used is None:
            return None
        return Usage(count.whole_used, round(section.limit_gb * GB), count.whole_objects)

    def _go_on(self, count: BucketCount) -> BucketCount:
        """Count until the time is up or all is counted, and keep how far that got."""
        from botocore.exceptions import BotoCoreError, ClientError

        client = self._connect()
        ends = time.monotonic() + PACE_S
        try:
            while True:
                count = self._count_page(client, count)
                if not count.token or time.monotonic() > ends:
                    break
        except ClientError as error:
            self._keep(count.begun_again())  # perhaps it no longer knows where we were
            said = error.response.get("Error", {})
            reason = f"{said.get('Code', '')} {said.get('Message', '')}".strip()
            raise self._no_answer(reason) from error
        except (BotoCoreError, ValueError) as error:
            self._keep(count)
            raise self._no_answer(str(error)) from error
        self._keep(count)
        return count

    def _count_page(self, client: Any, count: BucketCount) -> BucketCount:  # noqa: ANN401 - boto3 has no types
        section = self._section
        going_on = {"ContinuationToken": count.token} if count.token else {}
        page = client.list_objects_v2(Bucket=section.bucket, Prefix=section.prefix, **going_on)
        sizes = [each["Size"] for each in page.get("Contents", ())]
        token = page.get("NextContinuationToken", "") if page.get("IsTruncated") else ""
        return count.with_page(sizes, token, time.time())

    def _no_answer(self, reason: str) -> QuotaError:
        section = self._section
        message = f"The objects of bucket {section.bucket} at {section.url} cannot be counted: "
        return QuotaError(message + " ".join(reason.split()), hint="Check address, name and key.")

    def _connect(self) -> Any:  # noqa: ANN401 - as above
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self._section.url,
            region_name=self._section.region,
            aws_access_key_id=self._keys[0],
            aws_secret_access_key=self._keys[1],
            config=Config(
                connect_timeout=REQUEST_LIMIT_S,
                read_timeout=REQUEST_LIMIT_S,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
            ),
        )

    def _read(self) -> dict[str, Any] | None:
        """Return what is kept; of a file that is gone or makes no sense the count begins again."""
        try:
            values = json.loads(self._kept.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return values if isinstance(values, dict) else None

    def _keep(self, count: BucketCount) -> None:
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._kept, json.dumps(count._asdict()).encode())
        except OSError as error:
            bucket, why = self._section.bucket, error.strerror
            message = f"How far bucket {bucket} was counted cannot be kept: {why}."
            raise QuotaError(message, hint=f"Check {self._kept.parent}.") from error


def open_s3(name: str, section: S3QuotaSettings, settings: Settings) -> S3Quota:
    """Return the quota of this table. Raises ``MissingExtra``, or ``SettingsError`` for a file of
    keys that cannot be used.
    """
    if find_spec("boto3") is None:
        what = f"[quotas.{name}]"
        raise MissingExtra(what, "s3")
    path = settings.path(section.key_file)
    keys = read_secret_lines(path, f"[quotas.{name}] key_file")
    if len(keys) != 2:  # noqa: PLR2004 - a key and its secret
        message = f"[quotas.{name}] key_file = '{path}' does not hold a key and a secret."
        raise SettingsError(message, hint="Write each on a line of its own.")
    kept = settings.state_folder / QUOTAS / f"{name}.json"
    return S3Quota(name, section, (keys[0], keys[1]), kept)


ADAPTER = Adapter(S3QuotaSettings, open_s3)
