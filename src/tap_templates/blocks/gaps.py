"""Properties that CloudFormation has and the pinned troposphere lacks, as subclasses.

troposphere keeps one class per property name and module, while CloudFormation has one per resource
type; 4.11.1 generated `awslambda.LoggingConfig` from another type and lost `LogFormat`
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-loggingconfig.html),
and `awslambda.ScalingConfig` likewise, without `MaximumConcurrency`
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-eventsourcemapping-scalingconfig.html).
A test says each gap still exists: when upstream fills one, it fails, and the subclass goes.
"""

from troposphere import awslambda
from troposphere.validators import integer


class FunctionLoggingConfig(awslambda.LoggingConfig):
    """`AWS::Lambda::Function` LoggingConfig with its log format."""

    props = {**awslambda.LoggingConfig.props, "LogFormat": (str, False)}  # noqa: RUF012 - troposphere's protocol


class MappingScalingConfig(awslambda.ScalingConfig):
    """`AWS::Lambda::EventSourceMapping` ScalingConfig, which has nothing else."""

    props = {"MaximumConcurrency": (integer, False)}  # noqa: RUF012 - troposphere's protocol
