"""What is kept: the user's data and configs in S3, turns and the ledger in DynamoDB."""

from __future__ import annotations

from aws_cdk import CfnCondition, CfnParameter, Duration, Fn, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mpe.model.service.spec import READ, WRITTEN

READ_BY_SERVICE = tuple(f"{folder}/*" for folder in READ)
"""Where Amazon Personalize reads: the users' CSVs and the input of batch jobs."""
WRITTEN_BY_SERVICE = tuple(f"{folder}/*" for folder in WRITTEN)
"""Where Amazon Personalize writes: the output of batch jobs, exports and reports."""


class OldVersions:
    """For how long versions that were overwritten or deleted are kept, as the user says."""

    def __init__(self, scope: Construct) -> None:
        parameter = CfnParameter(
            scope,
            "OldVersionDays",
            type="Number",
            default=90,
            min_value=0,
            max_value=36500,
            description="Days for which versions of files that were overwritten or deleted are "
            "kept; 0 keeps them for ever",
        )
        kept = CfnCondition(
            scope,
            "KeepsOldVersions",
            expression=Fn.condition_equals(parameter, "0"),
        )
        self.status = Fn.condition_if(kept.logical_id, "Disabled", "Enabled")
        # A rule that is disabled needs a number of days as well.
        self.days = Fn.condition_if(kept.logical_id, 1, parameter.value_as_number)


class DataBucket(s3.Bucket):
    """The bucket that users upload to; it outlives the stack.

    Versions that were overwritten or deleted are kept for as many days as the stack's parameter
    says. Those are also the states that runs of newer configs have deleted: no rule by age alone
    may, since the newest is needed for as long as there is a schedule.
    """

    def __init__(self, scope: Construct, id: str, *, old_versions: OldVersions) -> None:
        logs = s3.Bucket(
            scope,
            f"{id}AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(365),
                    noncurrent_version_expiration=Duration.days(30),
                )
            ],
        )
        super().__init__(
            scope,
            id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            server_access_logs_bucket=logs,
            server_access_logs_prefix="data-bucket/",
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                # Only what a user's data has no part in: broken uploads.
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7))
            ],
        )
        self._expire(old_versions)
        self._notify_eventbridge()

    def _expire(self, old_versions: OldVersions) -> None:
        """Let old versions expire, and what marks deletions of which no version is left.

        CDK's own property takes no parameter of the stack for a number of days.
        """
        bucket = self.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        bucket.add_property_override(
            "LifecycleConfiguration.Rules.1",
            {
                "Id": "OldVersions",
                "Status": old_versions.status,
                "NoncurrentVersionExpiration": {"NoncurrentDays": old_versions.days},
                "ExpiredObjectDeleteMarker": True,
            },
        )

    def _notify_eventbridge(self) -> None:
        """Switch EventBridge notifications on in the template itself.

        CDK's own property deploys a Lambda function to do it, with permissions on every
        bucket of the account.
        """
        bucket = self.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        bucket.add_property_override(
            "NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled", True
        )

    def let_service_in(self) -> None:
        """Let Amazon Personalize read the users' data and write its own.

        The service needs the bucket's leave beside its role's. These are the statements of the
        guide, below our folders alone, and as there without a condition: nobody says what context
        the service sends to S3, and no policy that is known to work has one
        (https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html).
        The trust policy of the role has them, as the guide does.
        """
        service = iam.ServicePrincipal("personalize.amazonaws.com")
        read = [self.arn_for_objects(one) for one in READ_BY_SERVICE]
        written = [self.arn_for_objects(one) for one in WRITTEN_BY_SERVICE]
        for action, places in (
            ("s3:GetObject", read),
            ("s3:PutObject", written),
            ("s3:ListBucket", [self.bucket_arn]),
        ):
            self.add_to_resource_policy(
                iam.PolicyStatement(principals=[service], actions=[action], resources=places)
            )

    def keep_state_for(self, writer: iam.IRole) -> None:
        """Let nobody but one role write the desired states, which runs trust.

        Nobody is kept from deleting them, and whoever may change this policy can lift it.
        """
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="StatesAreTheStacksOwn",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject", "s3:ReplicateObject"],
                resources=[self.arn_for_objects("state/*")],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": writer.role_arn}},
            )
        )


class GroupTable(dynamodb.TableV2):
    """A table of records by dataset group."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(
            scope,
            id,
            partition_key=dynamodb.Attribute(name="group", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="record", type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires",
            removal_policy=RemovalPolicy.RETAIN,
        )
