"""What to do about what the SDK and AWS say: their own words name no next step.

The exceptions are botocore's (https://github.com/boto/botocore/blob/develop/botocore/exceptions.py),
the codes those of https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and of
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html.
"""

from __future__ import annotations

from botocore import exceptions as sdk

LOG_IN = (
    "Log in again: `aws sso login`, or `aws configure` for keys; with --profile NAME where you use "
    "a profile."
)
EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
UNKNOWN = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
    }
)
BY_KIND: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (sdk.NoRegionError, sdk.InvalidRegionError),
        "Say which: --region, MPE_REGION, AWS_REGION or `region` in mpe.toml.",
    ),
    (
        (sdk.ProfileNotFound,),
        "`aws configure list-profiles` lists them; --profile, MPE_PROFILE or `profile` in mpe.toml "
        "chooses one.",
    ),
    (
        (sdk.NoCredentialsError, sdk.PartialCredentialsError, sdk.CredentialRetrievalError),
        "Log in with `aws sso login` or `aws configure`, or name a profile with --profile or "
        "MPE_PROFILE. Without an AWS account, `mpe local up` starts a local cloud.",
    ),
    (
        (
            sdk.SSOError,
            sdk.TokenRetrievalError,
            sdk.SSOTokenLoadError,
            sdk.UnauthorizedSSOTokenError,
        ),
        LOG_IN,
    ),
    (
        (sdk.ConnectionError, sdk.HTTPClientError),
        "See whether the endpoint is right (--endpoint-url, AWS_ENDPOINT_URL), whether a local "
        "cloud is up (`mpe local status`), and whether the network and its proxy let it through.",
    ),
)


def next_step(error: Exception) -> str:
    """Return what to do about an error of the SDK or of AWS, or nothing where nobody can say."""
    if isinstance(error, sdk.ClientError):
        return _by_code(error)
    for kinds, told in BY_KIND:
        if isinstance(error, kinds):
            return told
    return ""


def _by_code(error: sdk.ClientError) -> str:
    code, message = code_of(error), error.response.get("Error", {}).get("Message", "")
    if code in EXPIRED:
        return LOG_IN
    if code in UNKNOWN:
        return f"These credentials are not known there. {LOG_IN}"
    if code in DENIED:
        return (
            "Your own credentials lack this permission, not the stack's: ask whoever gives them "
            "out, or choose others with --profile."
        )
    if code in THROTTLED:
        return "AWS asks for a pause: try again in a minute."
    if code == "ValidationError" and message.startswith("Stack with id"):
        return (
            "`aws cloudformation list-stacks` lists what is there. Choose with --stack, --region "
            "and --profile, or in mpe.toml; `npx cdk deploy` deploys it."
        )
    return ""


def code_of(error: sdk.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def passes(error: Exception) -> bool:
    """Tell whether the same call may succeed a little later: a lost link, a throttle, a fault."""
    if isinstance(error, sdk.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in THROTTLED or status >= 500
    return isinstance(error, sdk.ConnectionError | sdk.HTTPClientError)
