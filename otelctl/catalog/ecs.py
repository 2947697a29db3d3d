"""What goes wrong between a secret and a container of Amazon ECS: the wiring, the permission, the running tasks."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_SECRETS = _GUIDE + "secrets-envvar-secrets-manager.html"
_STOPPED = _GUIDE + "stopped-task-error-codes.html"
_ROLE = _GUIDE + "task_execution_IAM_role.html"

_WHO = Step("See which account and role the calls come from.", "aws sts get-caller-identity")
_SHOW = Step(
    "See the entries as they stand.",
    "aws ecs describe-task-definition --task-definition {task_definition} --region {region} "
    "--query 'taskDefinition.containerDefinitions[].[name, environment[].name, secrets]'",
)
_RENDER = Step(
    "Wire the two keys in; this prints the snippet for the task definition and the role's policy.",
    "otelctl render ecs-json --secret-arn {arn_command} --container {container}",
)
_AGAIN = Step("Then look again.", "otelctl check-ecs {target_command}")
_EVENTS = Step(
    "See what ECS did of late.",
    "aws ecs describe-services --cluster {cluster} --services {service} --region {region} "
    "--query 'services[].events[:10].message'",
)
_POLICY = Step(
    "Give the role the statement that this prints.", "otelctl render ecs-json --secret-arn {arn_command} --role {role}"
)
_KEYS = Step(
    "See the names that the secret holds; this shows no value.",
    "aws secretsmanager get-secret-value --secret-id {arn} --query SecretString --output text | jq keys",
)


def _row(
    code: str,
    title: str,
    summary: str,
    cause: str,
    *fix: Step,
    refs: tuple[str, ...] = (_SECRETS,),
    severity: Severity = Severity.ERROR,
) -> Diagnosis:
    return Diagnosis(code, title, severity, summary, cause, fix, refs)


# Reading

NOT_PERMITTED = _row(
    "ECS-NOT-PERMITTED",
    "A permission to look is missing",
    "{principal} may not do {action}, so it can't be told {question}.",
    "This says nothing of the service: what was not seen is neither good nor bad. The permission is missing to whoever "
    "runs otelctl, not to the task.",
    Step("Allow {action} for this principal, or run the check as one that may."),
    _WHO,
    refs=(_GUIDE + "security_iam_id-based-policy-examples.html",),
    severity=Severity.UNKNOWN,
)
CLUSTER_NOT_FOUND = _row(
    "ECS-CLUSTER-NOT-FOUND",
    "No such cluster in this account and region",
    "ECS in {region} knows no cluster {cluster}.",
    "The name is mistyped, or the cluster lives in another region or account.",
    Step("List the clusters that are there.", "aws ecs list-clusters --region {region}"),
    _WHO,
    refs=(_API + "API_DescribeServices.html",),
)
SERVICE_NOT_FOUND = _row(
    "ECS-SERVICE-NOT-FOUND",
    "No such service in this cluster",
    "The cluster {cluster} in {region} has no active service {service}.",
    "The name is mistyped, the service was deleted, or it belongs to another cluster.",
    Step("List the services that are there.", "aws ecs list-services --cluster {cluster} --region {region}"),
    refs=(_API + "API_DescribeServices.html",),
)
DEFINITION_NOT_FOUND = _row(
    "ECS-TASK-DEFINITION-NOT-FOUND",
    "No such task definition here",
    "ECS in {region} knows no task definition {task_definition}.",
    "The family or the revision is mistyped, or it was registered in another region or account.",
    Step("List the families that are there.", "aws ecs list-task-definition-families --region {region}"),
    refs=(_API + "API_DescribeTaskDefinition.html",),
)
UNREACHABLE = _row(
    "ECS-API-UNREACHABLE",
    "The AWS service cannot be reached",
    "{endpoint}: {text}",
    "No connection, or none that lasts: no way out, a proxy, a firewall, or a region that does not exist and so has no "
    "address ({region} was asked).",
    Step("See how far a connection gets.", "curl -v --max-time 10 {endpoint}"),
    refs=("https://docs.aws.amazon.com/general/latest/gr/ecs-service.html",),
    severity=Severity.UNKNOWN,
)
API_FAULT = _row(
    "ECS-API-FAULT",
    "AWS refused the call",
    "{operation} gave {code}: {text}",
    "The words are AWS's own: a throttle, a rule of the API, a fault on its side, or a stand-in for it at {endpoint}. "
    "They say nothing of the way from the secret to the container.",
    Step("Look the code up, and try again.", "otelctl check-ecs {target_command}"),
    refs=(_API + "CommonErrors.html",),
    severity=Severity.UNKNOWN,
)

# The variables of the containers

NOT_WIRED = _row(
    "ECS-NOT-WIRED",
    "No container is given the OTLP endpoint or headers",
    "{task_definition} sets neither OTEL_EXPORTER_OTLP_ENDPOINT nor OTEL_EXPORTER_OTLP_HEADERS in any of its "
    "containers ({containers}).",
    "Nothing carries the two settings into the container, whatever a secret holds. An SDK without them exports to "
    "localhost.",
    Step(
        "Wire the two keys in; this prints the snippet.",
        "otelctl render ecs-json --secret-arn {arn_command} --container {container}",
    ),
)
SECRET_REMADE = _row(
    "ECS-SECRET-REMADE",
    "The secret was made anew and has another ARN",
    "{variable} of container {container} names {secret}, which is not there; {name} is, as {there}.",
    "A secret that is deleted and made again gets six other characters at the end of its ARN, and ECS goes by the "
    "whole of it.",
    Step("Name the one that is there in valueFrom.", "printf '%s\\n' {mended}"),
    _SHOW,
    _AGAIN,
)
PARAMETER_ABSENT = _row(
    "ECS-PARAMETER-ABSENT",
    "There is no such parameter",
    "{variable} of container {container} reads the parameter {name}, which is not in the Parameter Store of {region}.",
    "The name is mistyped, the parameter lives in another region or account, or the name of a secret was meant: ECS "
    "takes whatever is no secret's whole ARN for a parameter. It stops the task with `invalid ssm parameters`.",
    Step(
        "See which parameters are there.",
        "aws ssm describe-parameters --region {region} --query 'Parameters[].Name' --output text",
    ),
    Step(
        "Or take the value from a secret.",
        "otelctl render ecs-json --secret-arn {arn_command} --container {container}",
    ),
    _AGAIN,
    refs=(_GUIDE + "secrets-envvar-ssm-paramstore.html",),
)
ENDPOINT_MISSING = _row(
    "ECS-ENDPOINT-MISSING",
    "A container is given headers and no endpoint",
    "Container {container} gets {variable}, and no OTEL_EXPORTER_OTLP_ENDPOINT.",
    "Without an endpoint an SDK exports to localhost, whatever the headers say.",
    _RENDER,
)
HEADERS_MISSING = _row(
    "ECS-HEADERS-MISSING",
    "A container exports to the gateway without headers",
    "Container {container} has {host} for its endpoint, and no OTEL_EXPORTER_OTLP_HEADERS.",
    "Grafana Cloud's gateway answers 401 to what comes without a credential.",
    _RENDER,
)
VARIABLE_TWICE = _row(
    "ECS-VARIABLE-TWICE",
    "A variable is set from a secret and in plain text",
    "Container {container} has {variable} in secrets and in environment.",
    "ECS wants each name once and refuses to register such a revision; elsewhere the plain value may hide the secret.",
    Step("Delete the entry under environment, and register the task definition anew."),
    _SHOW,
    refs=(_API + "API_Secret.html",),
)
HEADERS_PLAIN = _row(
    "ECS-HEADERS-PLAIN",
    "The credential stands in the task definition in plain text",
    "Container {container} has {variable} under environment.",
    "Whoever may read the task definition, its revisions of years ago included, reads the credential; so do CloudTrail "
    "and the state of Terraform.",
    Step("Put it into a secret.", "otelctl push-secret --secret-id otel/exporter --create"),
    Step("Make a new token then: the old one stays readable in the old revisions."),
    _AGAIN,
    severity=Severity.WARNING,
)
SDK_OFF = _row(
    "ECS-SDK-OFF",
    "A variable beside them switches the export off",
    "Container {container} has {variable}={value}.",
    "It was left on after a test, or is meant for another environment. What it switches off is not exported, and "
    "nothing fails.",
    Step("Delete {variable} from the task definition, or set it to what exports, and deploy."),
    _SHOW,
    refs=("https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/",),
    severity=Severity.WARNING,
)
GRPC_GATEWAY = _row(
    "ECS-GRPC-GATEWAY",
    "The container exports by gRPC to a gateway that speaks HTTP",
    "Container {container} has {variable}=grpc, and {host} for its endpoint.",
    "Grafana Cloud's gateway takes OTLP over HTTP. A gRPC exporter drops the path /otlp and fails in the handshake.",
    Step("Set {variable} to http/protobuf in the task definition, and deploy."),
    refs=("https://grafana.com/docs/grafana-cloud/send-data/otlp/send-data-otlp/",),
)

# valueFrom

ARN_COLONS = _row(
    "ECS-ARN-COLONS",
    "valueFrom has the wrong number of colons",
    "{variable} of container {container} {problem}: {value_from}",
    "After the secret's name come JSON key, stage and version, each behind its colon, empty or not. ECS stops the task "
    "with `an invalid ARN format` otherwise.",
    Step("Put this into valueFrom.", "printf '%s\\n' {mended}"),
    _AGAIN,
)
ARN_FORM = _row(
    "ECS-ARN-FORM",
    "valueFrom is no ARN that ECS can read",
    "{variable} of container {container} {problem}: {value_from}",
    "ECS takes arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-AbCdEf, alone or with :json-key:stage:version after "
    "it. An example that was not filled in, or a template that was not expanded, ends like this.",
    Step(
        "Find the secret's ARN.",
        "aws secretsmanager list-secrets --region {region} --query 'SecretList[].ARN' --output text",
    ),
    _SHOW,
)
ARN_PARTIAL = _row(
    "ECS-ARN-PARTIAL",
    "valueFrom lacks the six characters at the end of the ARN",
    "{variable} of container {container} names {named}; the secret's ARN is {arn}.",
    "Secrets Manager adds a hyphen and six random characters to each name. It guesses at a shorter ARN, and guesses "
    "wrong where a name ends like that by itself; a policy that names the one form may not cover the other.",
    Step("Put the whole ARN into valueFrom.", "printf '%s\\n' {mended}"),
    _AGAIN,
    refs=(_SECRETS, "https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html"),
    severity=Severity.WARNING,
)
SECRET_NAME = _row(
    "ECS-SECRET-NAME",
    "valueFrom holds a secret's name in place of its ARN",
    "{variable} of container {container} is {value_from}; a secret of that name exists.",
    "ECS takes what is no ARN for a parameter of the Parameter Store. A secret of Secrets Manager needs its full ARN.",
    Step("Put the ARN into valueFrom, with the JSON key.", "printf '%s\\n' {mended}"),
    _AGAIN,
)
SECRET_REGION = _row(
    "ECS-SECRET-REGION",
    "The secret lives in another region than the task",
    "{variable} of container {container} reads from {secret_region}; the task runs in {region}.",
    "A task then starts only while both regions work, and needs a way out to the other one: a VPC endpoint serves its "
    "own region alone. A copied task definition often still names the region that it came from.",
    Step(
        "Keep a replica in the task's region, and name that.",
        "aws secretsmanager replicate-secret-to-regions --secret-id {arn} --region {secret_region} "
        "--add-replica-regions Region={region}",
    ),
    severity=Severity.WARNING,
)
VERSION_PINNED = _row(
    "ECS-VERSION-PINNED",
    "valueFrom is held to one version of the secret",
    "{variable} of container {container} names {pinned}.",
    "A new value gets a new version under AWSCURRENT. What is pinned never sees it, whatever is deployed. ECS takes "
    "either a stage or a version, not both.",
    Step("Leave stage and version empty in valueFrom.", "printf '%s\\n' {mended}"),
    _AGAIN,
    severity=Severity.WARNING,
)
PLATFORM = _row(
    "ECS-PLATFORM",
    "The Fargate platform is too old to read a JSON key",
    "The service runs on platform {platform}; {variable} names a JSON key, a stage or a version.",
    "Fargate for Linux reads those from 1.4.0 on. An older one passes on the whole secret or does not start.",
    Step(
        "Move to the current platform.",
        "aws ecs update-service --cluster {cluster} --service {service} --region {region} --platform-version LATEST",
    ),
    refs=(_SECRETS, _GUIDE + "platform-fargate.html"),
)

# What the secret holds

KEY_MISSING = _row(
    "ECS-KEY-MISSING",
    "The secret does not hold the JSON key that is asked for",
    "{variable} of container {container} asks for {json_key}; {secret} holds {names}.",
    "ECS stops the task with `did not contain json key`. Keys are told apart by case.",
    Step("Put the value under that key, or name one that is there in valueFrom.", "{mend_command}"),
    _AGAIN,
)
KEY_NOT_TEXT = _row(
    "ECS-KEY-NOT-TEXT",
    "The JSON key holds something else than text",
    "{variable} of container {container} asks for {json_key}, which is {kind} in {secret}.",
    "ECS writes a value that is no text as Go prints it, `map[...]`, `<nil>` or 1.234567e+06, and an exporter cannot "
    "use that.",
    Step("Put the value there as text.", "{mend_command}"),
    _AGAIN,
)
VERSION_ABSENT = _row(
    "ECS-VERSION-ABSENT",
    "The secret has no such stage or version",
    "{variable} of container {container} names {pinned}, which {secret} does not have.",
    "Versions without a stage are deleted in time, and a stage is what somebody put there. A version is an ID of 32 "
    "characters or more.",
    Step("Leave stage and version empty in valueFrom.", "printf '%s\\n' {mended}"),
    Step(
        "Or see those that are there.",
        "aws secretsmanager list-secret-version-ids --secret-id {arn} --region {region}",
    ),
)
WHOLE_SECRET = _row(
    "ECS-WHOLE-SECRET",
    "The variable gets the whole JSON of the secret",
    "{variable} of container {container} names {secret} without a JSON key, and the secret is a JSON object.",
    "Without a key the container gets the text of the secret as it is, every other value in it included.",
    Step("Name the key in valueFrom.", "printf '%s\\n' {mended}"),
    _KEYS,
)

# The execution role

ROLE_MISSING = _row(
    "ECS-ROLE-MISSING",
    "The task definition reads secrets and has no execution role",
    "{task_definition} names no executionRoleArn.",
    "ECS reads the secrets with the execution role, before the container starts. The task role, which the application "
    "uses, has no part in it.",
    Step(
        "Give it a role; this prints what it needs.",
        "otelctl render ecs-json --secret-arn {arn_command} --container {container}",
    ),
    refs=(_ROLE,),
)
ROLE_ABSENT = _row(
    "ECS-ROLE-ABSENT",
    "The execution role does not exist",
    "IAM knows no role {role}, which {task_definition} names.",
    "It was deleted, or the task definition was copied from another account.",
    Step("List the roles that are there.", "aws iam list-roles --query 'Roles[].RoleName' --output text"),
    _POLICY,
    refs=(_ROLE,),
)
ROLE_TRUST = _row(
    "ECS-ROLE-TRUST",
    "ECS may not assume the execution role",
    "The trust policy of {role} does not name ecs-tasks.amazonaws.com.",
    "A role is used by those whom its trust policy names. ECS asks for it as the service ecs-tasks.amazonaws.com.",
    Step(
        "See whom it trusts.",
        "aws iam get-role --role-name {role_name} --query Role.AssumeRolePolicyDocument",
    ),
    Step("Add ecs-tasks.amazonaws.com as a principal of sts:AssumeRole to it."),
    refs=(_ROLE,),
)
ROLE_DENIED = _row(
    "ECS-ROLE-DENIED",
    "The execution role may not read the secret",
    "{role} may not do {action} on {secret}: {why}.",
    "The managed policy AmazonECSTaskExecutionRolePolicy covers images and logs, no secrets. The execution role needs "
    "this permission, not the task role and not you.",
    _POLICY,
    _AGAIN,
    refs=(_ROLE, _IAM + "access_policies_testing-policies.html"),
)
ROLE_KMS = _row(
    "ECS-ROLE-KMS",
    "The execution role may not use the secret's KMS key",
    "{role} may not do kms:Decrypt on {kms_key}: {why}.",
    "The secret is encrypted with a key of your own. To read it takes the secret and the key; the key's own policy "
    "may grant that as well.",
    Step(
        "Give the role the statement that this prints.",
        "otelctl render ecs-json --secret-arn {arn} --role {role} --kms-key {kms_key}",
    ),
    Step("See what the key itself allows.", "aws kms get-key-policy --key-id {kms_key} --policy-name default"),
    refs=("https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",),
)

# Running tasks

ROLE_DENY = _row(
    "ECS-ROLE-DENY",
    "A policy denies the execution role what it needs",
    "{role} may not do {action} on {secret}: a policy denies it outright.",
    "No permission outweighs a Deny, wherever that stands: in a policy of the role, in its boundary, in the policy of "
    "the secret or the key itself, or in one of the organization.",
    Step(
        "See which statements decide, and take the Deny among them back.",
        "aws iam simulate-principal-policy --policy-source-arn {role} --action-names {action} --resource-arns {secret} "
        "--query 'EvaluationResults[].MatchedStatements'",
    ),
    _AGAIN,
    refs=(_IAM + "reference_policies_evaluation-logic.html",),
)
ROLE_PARAMETER = _row(
    "ECS-ROLE-PARAMETER",
    "The execution role may not read the parameter",
    "{role} may not do {action} on {secret}: {why}.",
    "ECS reads what is no secret's ARN from the Parameter Store, with the execution role.",
    Step("Give the role this statement.", "printf '%s\\n' {statement}"),
    _AGAIN,
    refs=(_GUIDE + "secrets-envvar-ssm-paramstore.html",),
)
TASKS_STALE = _row(
    "ECS-TASKS-STALE",
    "The service still runs with the old value",
    "{count} of {running} running tasks started before the current version of {secret} was made ({made}).",
    "A container gets its secrets once, when it starts. Nothing tells it of a new version.",
    Step(
        "Deploy anew.",
        "aws ecs update-service --cluster {cluster} --service {service} --region {region} --force-new-deployment",
    ),
    _AGAIN,
)

TASKS_UNSURE = _row(
    "ECS-TASKS-UNSURE",
    "Running tasks may not have the current value",
    "{count} of {running} running tasks came up around the time when {secret} got its current value (a version made "
    "{made}).",
    "A container gets its secrets once, when it starts. AWSCURRENT moved while these tasks started, or was moved back "
    "to an older version since, and nothing tells which value they read.",
    Step(
        "Deploy anew to be sure.",
        "aws ecs update-service --cluster {cluster} --service {service} --region {region} --force-new-deployment",
    ),
    severity=Severity.WARNING,
)

NO_TASK_RUNS = _row(
    "ECS-NO-TASK-RUNS",
    "No task of the service runs",
    "{service} is to run {desired} tasks, and none runs; of its newest deployment {failed} have failed to start.",
    "Whatever the secret holds, nothing is there to export. What ECS says of stopped tasks is told beside this, where "
    "it says anything; it forgets them within the hour.",
    _EVENTS,
    _AGAIN,
    refs=(_GUIDE + "service-event-messages-list.html",),
)
TASKS_SHORT = _row(
    "ECS-TASKS-SHORT",
    "Fewer tasks run than should, or some fail to start",
    "{running} of {desired} tasks of {service} run; of its newest deployment {failed} have failed to start.",
    "A deployment is under way, or tasks do not stay: health checks, capacity, or a start that fails.",
    _EVENTS,
    _AGAIN,
    refs=(_GUIDE + "service-event-messages-list.html",),
    severity=Severity.WARNING,
)
TASKS_REVISION = _row(
    "ECS-TASKS-REVISION",
    "Tasks run another revision than the one that was looked at",
    "{count} of {running} running tasks are of another revision than {task_definition} ({others}).",
    "A deployment is under way or has not come to its end. What was found of variables and secrets holds for "
    "{task_definition} alone.",
    Step("Look at the other one as well.", "otelctl check-ecs --task-definition {other}"),
    Step("Wait for it.", "aws ecs wait services-stable --cluster {cluster} --services {service} --region {region}"),
    refs=(_API + "API_Deployment.html",),
    severity=Severity.WARNING,
)

# Stop reasons

_STOP_REFS = (_STOPPED,)

STOP_KEY = _row(
    "ECS-STOP-JSON-KEY",
    "Tasks stop: the secret lacks a JSON key",
    "ECS stopped {count}: {text}",
    "valueFrom asks for the key {json_key}, and the version of the secret that was read does not hold it.",
    Step("Put the two keys into the secret.", "otelctl push-secret --secret-id {arn}"),
    Step("Or name a key that is there in valueFrom."),
    refs=_STOP_REFS,
)
STOP_NOT_JSON = _row(
    "ECS-STOP-NOT-JSON",
    "Tasks stop: the secret is not JSON",
    "ECS stopped {count}: {text}",
    "valueFrom asks for a JSON key of a text that is no JSON object: a bare value, or JSON that was edited by hand "
    "and broke.",
    Step(
        "See where it stops being JSON; this shows no value.",
        "aws secretsmanager get-secret-value --secret-id {arn} --query SecretString --output text | jq empty",
    ),
    Step("Without a JSON key in valueFrom the container gets the text as it is."),
    refs=_STOP_REFS,
)
STOP_DENIED = _row(
    "ECS-STOP-DENIED",
    "Tasks stop: the execution role may not read",
    "ECS stopped {count}: {text}",
    "{principal} may not do {action}. That is the execution role of the task; the secret's own policy or an "
    "endpoint's may deny it too.",
    _POLICY,
    refs=(_STOPPED, _ROLE),
)
STOP_KMS = _row(
    "ECS-STOP-KMS",
    "Tasks stop: the execution role may not use the KMS key",
    "ECS stopped {count}: {text}",
    "The secret is encrypted with a key of your own, and the role may use the secret but not the key.",
    Step(
        "See which key it is, then allow kms:Decrypt on it.",
        "aws secretsmanager describe-secret --secret-id {arn} --region {region} --query KmsKeyId",
    ),
    refs=_STOP_REFS,
)
STOP_NETWORK = _row(
    "ECS-STOP-NETWORK",
    "Tasks stop: no way from the task to AWS",
    "ECS stopped {count}: {text}",
    "The task's subnet has no route to the service: no public address in a public subnet, no NAT gateway, no interface "
    "endpoint for it (secretsmanager, ssm, ecr.api), or a security group that lets nothing out on 443.",
    Step(
        "See the subnets, the groups and whether tasks get a public address.",
        "aws ecs describe-services --cluster {cluster} --services {service} --region {region} "
        "--query 'services[].networkConfiguration'",
    ),
    Step(
        "See which endpoints the VPCs have.",
        "aws ec2 describe-vpc-endpoints --region {region} --query 'VpcEndpoints[].[VpcId, ServiceName]' --output text",
    ),
    refs=(_STOPPED, _GUIDE + "vpc-endpoints.html"),
)
STOP_ARN = _row(
    "ECS-STOP-ARN",
    "Tasks stop: valueFrom has an invalid form",
    "ECS stopped {count}: {text}",
    "After the secret's name come none or exactly three colons: json-key, stage and version, each empty or not.",
    _SHOW,
    refs=(_STOPPED, _SECRETS),
)
STOP_NOT_FOUND = _row(
    "ECS-STOP-NOT-FOUND",
    "Tasks stop: there is no such secret",
    "ECS stopped {count}: {text}",
    "The ARN in valueFrom leads to nothing: deleted and made anew, which changes its last six characters, another "
    "region or account, or a name that ECS took for a parameter.",
    Step(
        "Compare with the ARNs that are there.",
        "aws secretsmanager list-secrets --region {region} --query 'SecretList[].ARN' --output text",
    ),
    _SHOW,
    refs=_STOP_REFS,
)
STOP_VERSION = _row(
    "ECS-STOP-VERSION",
    "Tasks stop: the secret has no such version",
    "ECS stopped {count}: {text}",
    "valueFrom names a stage or a version that is not there, or the secret has no value yet. A version is an ID of 32 "
    "characters or more, and stands last.",
    Step(
        "See the versions and their stages.",
        "aws secretsmanager list-secret-version-ids --secret-id {arn} --region {region}",
    ),
    Step("Leave stage and version empty in valueFrom."),
    refs=_STOP_REFS,
)
STOP_DELETED = _row(
    "ECS-STOP-SECRET-DELETED",
    "Tasks stop: the secret is marked for deletion",
    "ECS stopped {count}: {text}",
    "Somebody deleted the secret. It waits out its recovery window and can't be read.",
    Step("Bring it back.", "aws secretsmanager restore-secret --secret-id {arn} --region {region}"),
    refs=_STOP_REFS,
)
STOP_ROLE = _row(
    "ECS-STOP-ROLE",
    "Tasks stop: the execution role cannot be assumed",
    "ECS stopped {count}: {text}",
    "The role is not there, or its trust policy does not name ecs-tasks.amazonaws.com.",
    Step(
        "See whom it trusts.",
        "aws iam get-role --role-name {role_name} --query Role.AssumeRolePolicyDocument",
    ),
    refs=(_STOPPED, _ROLE),
)
STOP_IMAGE = _row(
    "ECS-STOP-IMAGE",
    "Tasks stop: the image cannot be pulled",
    "ECS stopped {count}: {text}",
    "This is not about the secret: the image or its tag is not there, the execution role may not read the registry, or "
    "registry and task cannot reach each other.",
    Step(
        "See which images it names.",
        "aws ecs describe-task-definition --task-definition {task_definition} --region {region} "
        "--query 'taskDefinition.containerDefinitions[].image'",
    ),
    refs=(_GUIDE + "task_cannot_pull_image.html",),
)
STOP_EXITED = _row(
    "ECS-STOP-EXITED",
    "Tasks stop: the program in the container ends",
    "ECS stopped {count}, exit code {exit_code}: {text}",
    "The container started, so its secrets were read. Its program ended, as its log may say, or was killed: 137 is "
    "SIGKILL, for want of memory for the most part. A set-up of telemetry that raises is one cause.",
    Step(
        "See where its log goes.",
        "aws ecs describe-task-definition --task-definition {task_definition} --region {region} "
        "--query 'taskDefinition.containerDefinitions[].logConfiguration.options'",
    ),
    refs=_STOP_REFS,
    severity=Severity.WARNING,
)
STOP_OTHER = _row(
    "ECS-STOP-OTHER",
    "Tasks stop before they have started",
    "ECS stopped {count}: {text}",
    "otelctl knows no such reason. The words are ECS's own.",
    Step("Look the reason up in the errors of stopped tasks."),
    refs=_STOP_REFS,
)

# Deployments

DEPLOY_FAILED = _row(
    "ECS-DEPLOY-FAILED",
    "The deployment failed",
    "ECS gave up the deployment of {task_definition} to {service}: {text}",
    "The deployment circuit breaker stops a deployment whose tasks do not start or do not stay healthy.",
    _EVENTS,
    refs=(_GUIDE + "deployment-circuit-breaker.html",),
)
DEPLOY_UNSETTLED = _row(
    "ECS-DEPLOY-UNSETTLED",
    "It is not known how the deployment ends",
    "The deployment of {service} is not settled after {seconds} s: {state}.",
    "otelctl has stopped watching; ECS goes on by itself.",
    Step("Wait for it.", "aws ecs wait services-stable --cluster {cluster} --services {service} --region {region}"),
    _AGAIN,
    refs=(_API + "API_Deployment.html",),
    severity=Severity.UNKNOWN,
)

ROWS = (
    NOT_PERMITTED,
    CLUSTER_NOT_FOUND,
    SERVICE_NOT_FOUND,
    DEFINITION_NOT_FOUND,
    UNREACHABLE,
    API_FAULT,
    NOT_WIRED,
    ENDPOINT_MISSING,
    HEADERS_MISSING,
    VARIABLE_TWICE,
    HEADERS_PLAIN,
    SDK_OFF,
    GRPC_GATEWAY,
    ARN_COLONS,
    ARN_FORM,
    ARN_PARTIAL,
    SECRET_NAME,
    SECRET_REGION,
    VERSION_PINNED,
    PLATFORM,
    KEY_MISSING,
    KEY_NOT_TEXT,
    VERSION_ABSENT,
    WHOLE_SECRET,
    SECRET_REMADE,
    PARAMETER_ABSENT,
    ROLE_MISSING,
    ROLE_ABSENT,
    ROLE_TRUST,
    ROLE_DENIED,
    ROLE_KMS,
    ROLE_DENY,
    ROLE_PARAMETER,
    NO_TASK_RUNS,
    TASKS_SHORT,
    TASKS_REVISION,
    TASKS_STALE,
    TASKS_UNSURE,
    STOP_KEY,
    STOP_NOT_JSON,
    STOP_DENIED,
    STOP_KMS,
    STOP_NETWORK,
    STOP_ARN,
    STOP_NOT_FOUND,
    STOP_VERSION,
    STOP_DELETED,
    STOP_ROLE,
    STOP_IMAGE,
    STOP_EXITED,
    STOP_OTHER,
    DEPLOY_FAILED,
    DEPLOY_UNSETTLED,
)
