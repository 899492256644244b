"""What Amazon Personalize does in the name of the roles it is given: S3, keys and metrics."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from mpe.emulator import KeyDenied, MetricsDenied, ObjectsDenied, ObjectsMissing
from mpe.local.ministack import kms, s3, sts
from mpe.local.ministack.iam import trusts

SERVICE = "personalize.amazonaws.com"
NAMESPACE = "AWS/Personalize"
"""Where the metrics of the service go."""
CHUNK = 1 << 20


class RoleObjects:
    """Read S3 and use keys in the name of a role, where the resource's policy lets the service in.

    The service assumes the role that an import job was given, so the role's trust policy
    must let it, in this account. The bucket must let in the service itself as well
    (https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html).
    """

    def __init__(self, endpoint: str, region: str) -> None:
        self._endpoint = endpoint
        self._region = region
        self._session = boto3.Session()
        self._making = threading.Lock()  # a session makes one client at a time
        self._clients: dict[tuple[str, str, str], tuple[str, Any]] = {}

    def role_trusts_service(self, role_arn: str, *, account: str) -> bool:
        return trusts(role_arn, SERVICE, self._source(account), self._region)

    def keys(self, url: str, *, role_arn: str, account: str) -> list[str]:
        bucket, key = _split(url)
        self._enter("s3:ListBucket", bucket, key, account)
        with _Errors():
            pages = self._s3(role_arn, account).get_paginator("list_objects_v2")
            return [
                f"s3://{bucket}/{item['Key']}"
                for page in pages.paginate(Bucket=bucket, Prefix=key)
                for item in page.get("Contents", ())
            ]

    def read(self, url: str, *, role_arn: str, account: str) -> Iterator[bytes]:
        bucket, key = _split(url)
        self._enter("s3:GetObject", bucket, key, account)
        with _Errors():
            body = self._s3(role_arn, account).get_object(Bucket=bucket, Key=key)["Body"]
        yield from body.iter_chunks(CHUNK)

    def write(self, url: str, body: bytes, *, role_arn: str, account: str) -> None:
        bucket, key = _split(url)
        self._enter("s3:PutObject", bucket, key, account)
        with _Errors():
            self._s3(role_arn, account).put_object(Bucket=bucket, Key=key, Body=body)

    def use_key(
        self, key_arn: str, *, role_arn: str, account: str, exporting: bool = False
    ) -> None:
        """Use a key in a role's name, and see that its policy lets the service in as well.

        https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-key-access.html
        """
        keys = self._client("kms", role_arn, account)
        try:
            keys.describe_key(KeyId=key_arn)
            data = keys.generate_data_key(KeyId=key_arn, KeySpec="AES_256")
            keys.decrypt(CiphertextBlob=data["CiphertextBlob"], KeyId=key_arn)
            keys.list_grants(KeyId=key_arn)
            keys.create_grant(KeyId=key_arn, GranteePrincipal=SERVICE, Operations=["Decrypt"])
            if exporting:
                keys.generate_data_key_without_plaintext(KeyId=key_arn, KeySpec="AES_256")
        except ClientError as error:
            raise KeyDenied(str(error)) from error
        for action in (*kms.KEY_ACTIONS, *([kms.EXPORT_ACTION] if exporting else [])):
            if not kms.key_lets(SERVICE, key_arn, action, source=self._source(account)):
                raise KeyDenied(f"the key's policy does not allow {SERVICE} to perform {action}")

    def put_metrics(self, *, role_arn: str, account: str) -> None:
        """Publish a metric in a role's name."""
        metric = {"MetricName": "Validation", "Value": 0.0}
        try:
            client = self._client("cloudwatch", role_arn, account)
            client.put_metric_data(Namespace=NAMESPACE, MetricData=[metric])
        except (ClientError, ObjectsDenied) as error:
            raise MetricsDenied(str(error)) from error

    def _source(self, account: str) -> str:
        """Return the resource on whose behalf the service acts."""
        return f"arn:aws:personalize:{self._region}:{account}:dataset-import-job/any"

    def _enter(self, action: str, bucket: str, key: str, account: str) -> None:
        """See that a bucket lets in the service, beside the role."""
        if not s3.bucket_lets(SERVICE, action, bucket, key=key, source=self._source(account)):
            raise ObjectsDenied(f"the bucket {bucket} does not allow {SERVICE} to {action}")

    def _s3(self, role_arn: str, account: str) -> Any:
        return self._client("s3", role_arn, account)

    def _client(self, service: str, role_arn: str, account: str) -> Any:
        """Return a client with a session of the role, if the role lets the service.

        A session is kept for half of its time, as long as MiniStack knows it. What it may do is
        what its role may by then.
        """
        if not self.role_trusts_service(role_arn, account=account):
            raise ObjectsDenied(f"{SERVICE} may not assume {role_arn}")
        of = (service, role_arn, account)
        with self._making:
            key, client = self._clients.get(of, ("", None))
            if not sts.lasts(key):
                session = sts.session_of(role_arn, account)
                client = self._session.client(
                    service,
                    endpoint_url=self._endpoint,
                    region_name=self._region,
                    config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}),
                    **session,
                )
                self._clients[of] = session["aws_access_key_id"], client
            return client


class _Errors:
    """Turn S3's refusals into the emulator's."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if not isinstance(error, ClientError):
            return
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 403:
            raise ObjectsDenied(str(error)) from error
        if status == 404:
            raise ObjectsMissing(str(error)) from error


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
