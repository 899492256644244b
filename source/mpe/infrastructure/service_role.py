"""The role that Amazon Personalize acts in."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Aws, CfnCondition, CfnResource, RemovalPolicy
from aws_cdk import aws_iam as iam
from constructs import Construct

from mpe.infrastructure.functions import personalize_arn
from mpe.infrastructure.reasons import accept_wildcard
from mpe.infrastructure.storage import (
    READ_BY_SERVICE,
    WRITTEN_BY_SERVICE,
    DataBucket,
)


class ServiceRole(iam.Role):
    """Let Amazon Personalize read and write the data bucket, for this account alone.

    And let it publish the metrics of metric attributions.

    It outlives the stack, with what it may do: an encrypted dataset group uses its key through the
    role that it was created with, for good, since there is no operation to change that
    (https://docs.aws.amazon.com/personalize/latest/dg/API_CreateDatasetGroup.html). Under the same
    name it could not come back: a key's policy holds a role by its id, and not by its name
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: DataBucket,
        kms_key_arn: str,
        has_key: CfnCondition,
    ) -> None:
        super().__init__(
            scope,
            id,
            description="Lets Amazon Personalize read the data and write its results",
            # Against the confused deputy:
            # https://docs.aws.amazon.com/personalize/latest/dg/cross-service-confused-deputy-prevention.html
            assumed_by=iam.ServicePrincipal(
                "personalize.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": personalize_arn(scope, "*")},
                },
            ),
        )
        self._allow("s3:GetObject", bucket, READ_BY_SERVICE, "Reads what users uploaded.")
        self._allow("s3:PutObject", bucket, WRITTEN_BY_SERVICE, "Writes what users asked for.")
        # As in the guide without s3:prefix, which HeadBucket does not carry.
        self.add_to_policy(
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn])
        )
        self._publish_metrics()
        self._use_key(kms_key_arn, has_key)
        for one in self.node.find_all():
            if isinstance(one, CfnResource):
                one.apply_removal_policy(RemovalPolicy.RETAIN)

    def _allow(self, action: str, bucket: DataBucket, below: Iterable[str], because: str) -> None:
        """Grant an action on the objects of any dataset group below some folders."""
        places = [bucket.arn_for_objects(folder) for folder in below]
        self.add_to_policy(iam.PolicyStatement(actions=[action], resources=places))
        for place in places:
            accept_wildcard(self, place, f"{because} There and nowhere else.")

    def _publish_metrics(self) -> None:
        """Let metric attributions report to CloudWatch.

        The guide's policy has no condition, and no page tells the namespace that
        ``cloudwatch:namespace`` could restrict it to; with a wrong one, reports would be lost:
        https://docs.aws.amazon.com/personalize/latest/dg/metric-attribution-requirements.html
        """
        self.add_to_policy(
            iam.PolicyStatement(actions=["cloudwatch:PutMetricData"], resources=["*"])
        )
        accept_wildcard(
            self, "*", "CloudWatch has no resource-level permission for publishing metrics."
        )

    def _use_key(self, kms_key_arn: str, has_key: CfnCondition) -> None:
        """Let the service use the key for dataset groups, where the stack was given one.

        The key's own policy must let the role and the service in as well, and alone can allow
        kms:CreateGrant: https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-key-access.html
        """
        policy = iam.Policy(
            self,
            "UseKey",
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "kms:Decrypt",
                        "kms:DescribeKey",
                        "kms:GenerateDataKey",
                        "kms:GenerateDataKeyWithoutPlaintext",  # for exports
                        "kms:ListGrants",
                    ],
                    resources=[kms_key_arn],
                )
            ],
            roles=[self],
        )
        resource = policy.node.default_child
        assert isinstance(resource, iam.CfnPolicy)
        resource.cfn_options.condition = has_key
