"""The role that Amazon Personalize acts in."""

from __future__ import annotations

from aws_cdk import Aws, CfnCondition
from aws_cdk import aws_iam as iam
from constructs import Construct

from mpe.infrastructure.functions import personalize_arn
from mpe.infrastructure.reasons import accept_wildcard
from mpe.infrastructure.storage import READ_BY_SERVICE, DataBucket


class ServiceRole(iam.Role):
    """Let Amazon Personalize read the users' data, on behalf of this account alone."""

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
            description="Lets Amazon Personalize read the training data",
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
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[bucket.arn_for_objects(READ_BY_SERVICE)]
            )
        )
        self.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [READ_BY_SERVICE]}},
            )
        )
        accept_wildcard(
            self,
            bucket.arn_for_objects(READ_BY_SERVICE),
            "Imports read the CSVs of any dataset group, below train/ and nowhere else.",
        )
        self._use_key(kms_key_arn, has_key)

    def _use_key(self, kms_key_arn: str, has_key: CfnCondition) -> None:
        """Let the service use the key for dataset groups, where the stack was given one."""
        policy = iam.Policy(
            self,
            "UseKey",
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "kms:CreateGrant",
                        "kms:Decrypt",
                        "kms:DescribeKey",
                        "kms:GenerateDataKey",
                    ],
                    resources=[kms_key_arn],
                )
            ],
            roles=[self],
        )
        resource = policy.node.default_child
        assert isinstance(resource, iam.CfnPolicy)
        resource.cfn_options.condition = has_key
