"""The Lambda functions: one package and one layer, and for each a role of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import CfnParameter, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from mpe.infrastructure import package
from mpe.infrastructure.reasons import accept_wildcard

RUNTIME = lambda_.Runtime.PYTHON_3_14


class Package(Construct):
    """The code and the libraries that every function shares."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        target = package.Target.from_environment()
        self.code = lambda_.Code.from_asset(str(package.code(target)), display_name="Functions")
        self.layer = lambda_.LayerVersion(
            self,
            "Libraries",
            code=lambda_.Code.from_asset(str(package.layer(target)), display_name="Libraries"),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64],
            description="The libraries of Maintaining Personalized Experiences",
        )
        chosen = CfnParameter(
            Stack.of(self),
            "Architecture",
            default=lambda_.Architecture.ARM_64.name,
            allowed_values=[lambda_.Architecture.ARM_64.name, lambda_.Architecture.X86_64.name],
            description="The processors that the functions run on; arm64 costs a fifth less",
        )
        self.architecture = lambda_.Architecture.custom(chosen.value_as_string)


class HandlerFunction(lambda_.Function):
    """A function that runs one handler, with a role that may do just what is allowed it.

    One that rules invoke needs ``undelivered``: of an event that EventBridge has handed over
    and that the function fails at three times, the rule's own dead-letter queue never hears
    (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        package: Package,
        handler: str,
        description: str,
        environment: Mapping[str, str],
        timeout: Duration | None = None,
        memory_size: int = 512,
        undelivered: sqs.IQueue | None = None,
    ) -> None:
        log_group = logs.LogGroup(
            scope,
            f"{id}Logs",
            retention=logs.RetentionDays.ONE_YEAR,
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            scope,
            f"{id}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Role of the function: {description}",
        )
        super().__init__(
            scope,
            id,
            runtime=RUNTIME,
            architecture=package.architecture,
            code=package.code,
            layers=[package.layer],
            handler=f"mpe.handlers.{handler}.handler",
            description=description,
            environment=dict(environment),
            timeout=timeout or Duration.seconds(60),
            memory_size=memory_size,
            role=role,
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=undelivered,
        )
        log_group.grant_write(role)

        accept_wildcard(role, "*", "X-Ray has no resource-level permission for its writes.")

    def allow(
        self,
        actions: Sequence[str],
        on: Sequence[str],
        *,
        because: str = "",
        **conditions: object,
    ) -> None:
        """Grant actions on resources, under conditions by operator.

        A resource with a wildcard needs a reason: ``because``.
        """
        assert self.role is not None
        for resource in on:
            if "*" in resource:
                assert because, f"a wildcard needs a reason: {resource}"
                accept_wildcard(self.role, resource, because)
        self.add_to_role_policy(
            iam.PolicyStatement(
                actions=list(actions),
                resources=list(on),
                conditions=conditions,
            )
        )


def personalize_arn(scope: Construct, resource: str) -> str:
    """Return the ARN, or pattern, of a Personalize resource in the stack's account."""
    return Stack.of(scope).format_arn(service="personalize", resource=resource)
