"""CloudFormation's limits on a template.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

MOST_RESOURCES = 500
MOST_PARAMETERS = 200
MOST_OUTPUTS = 200
MOST_MAPPINGS = 200
MOST_MAPPING_ATTRIBUTES = 200
LONGEST_DESCRIPTION_BYTES = 1024
LONGEST_NAME = 255
LONGEST_BODY_BYTES = 1_000_000  # in a bucket; the page says "1 MB", the smaller reading is safe
LONGEST_INLINE_BYTES = 51_200  # sent with the call
