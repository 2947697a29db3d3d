"""What goes wrong with a secret in AWS Secrets Manager: the way to it, the permission, its text, and the write."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_API = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/"
_GUIDE = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/"
_BOTO = "https://boto3.amazonaws.com/v1/documentation/api/latest/guide/"

_WHO = Step("See which account and role the calls come from.", "aws sts get-caller-identity")
_AGAIN = Step("Then look again; this writes nothing.", "otelctl push-secret --secret-id {secret} --dry-run")
_CHECK_TEXT = Step(
    # jq would let NaN and a byte order mark pass.
    "See where the text stops being JSON; the last line tells, and shows no value.",
    "aws secretsmanager get-secret-value --secret-id {secret} --query SecretString --output text "
    "| python3 -c 'import json, sys; json.load(sys.stdin, parse_constant=int)'",
)


def _row(
    code: str,
    title: str,
    summary: str,
    cause: str,
    *fix: Step,
    refs: tuple[str, ...] = (),
    severity: Severity = Severity.ERROR,
) -> Diagnosis:
    return Diagnosis(code, title, severity, summary, cause, fix, refs)


# The secret

NOT_FOUND = _row(
    "AWS-SECRET-NOT-FOUND",
    "No such secret in this account and region",
    "Secrets Manager in {region} finds no secret {secret}.",
    "The name is mistyped, or the secret lives in another region or account: a name is looked up in the caller's own "
    "account and one region only, and another account's secret needs its full ARN.",
    Step(
        "List the names that are there.",
        "aws secretsmanager list-secrets --region {region} --query 'SecretList[].Name' --output text",
    ),
    _WHO,
    Step("If it is to be made now, with our two keys alone:", "otelctl push-secret --secret-id {name} --create"),
    refs=(_API + "API_GetSecretValue.html",),
)
EMPTY = _row(
    "AWS-SECRET-EMPTY",
    "The secret holds no value yet",
    "The secret {secret} exists in {region} and has no version under AWSCURRENT.",
    "It was made without a value, as Terraform's aws_secretsmanager_secret does by itself.",
    Step("Give it its first value.", "otelctl push-secret --secret-id {secret}"),
    refs=(_API + "API_CreateSecret.html",),
)
NO_PREVIOUS = _row(
    "AWS-NO-PREVIOUS",
    "The secret has no version before the current one",
    "{secret} in {region} has nothing under AWSPREVIOUS.",
    "The label moves to the former version with each write, and a secret that was written once has none. A version "
    "without a label is lost to a rollback, but kept for a day.",
    Step(
        "See the versions that are left.",
        "aws secretsmanager list-secret-version-ids --secret-id {secret} --region {region} --include-deprecated",
    ),
    refs=(_API + "API_GetSecretValue.html",),
)
RETURN_NEWER = _row(
    "AWS-ROLLBACK-NEWER",
    "The value to return to is newer than the current one",
    "{secret} is at version {current} of {current_time}, and AWSPREVIOUS at {before} of {before_time}.",
    "A rollback swaps the two. This one comes after another, or after somebody moved the labels, so that the value "
    "which was taken back then is the current one again after it.",
    Step("Where it was done and not meant, swap them again.", "otelctl push-secret --secret-id {secret} --rollback"),
    refs=(_API + "API_UpdateSecretVersionStage.html",),
    severity=Severity.WARNING,
)
DELETED = _row(
    "AWS-SECRET-DELETED",
    "The secret is marked for deletion",
    "AWS refused {operation} on {secret}: {text}",
    "Somebody deleted it. It waits out its recovery window, can be neither read nor written, and keeps its name taken.",
    Step(
        "See since when.",
        "aws secretsmanager describe-secret --secret-id {secret} --region {region} --query DeletedDate",
    ),
    Step("Bring it back.", "aws secretsmanager restore-secret --secret-id {secret} --region {region}"),
    _AGAIN,
    refs=(_GUIDE + "manage_restore-secret.html",),
)
MANAGED = _row(
    "AWS-SECRET-MANAGED",
    "The secret belongs to another AWS service",
    "AWS refused {operation} on {secret}: {text}",
    "A service such as RDS made this secret and writes it alone, so no key of ours fits in.",
    Step(
        "See which service owns it.",
        "aws secretsmanager describe-secret --secret-id {secret} --region {region} --query OwningService",
    ),
    Step("Put the two keys into a secret of your own.", "otelctl push-secret --secret-id otel/exporter --create"),
    refs=(_GUIDE + "service-linked-secrets.html",),
)
REPLICA = _row(
    "AWS-SECRET-REPLICA",
    "The secret is a replica, which is read-only",
    "AWS refused {operation} on {secret} in {region}: {text}",
    "The secret is copied here from its primary region, and changes there only.",
    Step(
        "See which region that is, and write there.",
        "aws secretsmanager describe-secret --secret-id {secret} --region {region} --query PrimaryRegion",
    ),
    refs=(_GUIDE + "replicate-secrets.html",),
)
ARN_SUFFIX = _row(
    "AWS-ARN-SUFFIX",
    "The secret's ARN carries ECS's suffix",
    "{secret} goes on after the secret's name.",
    "This is the form of valueFrom in a task definition, which adds JSON key, stage and version after colons. The "
    "service itself takes the ARN alone.",
    Step("Name the secret by its ARN alone.", "otelctl push-secret --secret-id {arn} --dry-run"),
    refs=("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html",),
)

# Permission and keys

ACCESS_DENIED = _row(
    "AWS-ACCESS-DENIED",
    "AWS denies a permission that is needed",
    "{principal} may not do {action}: {why}.",
    "The identity's policies, the secret's own policy, a permissions boundary or the organisation decide it together; "
    "one that denies outright beats all that allow, and so does one that asks for a second factor.",
    _WHO,
    Step(
        "Allow {action} on the secret for this principal; the secret's own policy may be in the way.",
        "aws secretsmanager get-resource-policy --secret-id {secret} --region {region}",
    ),
    refs=(_GUIDE + "auth-and-access.html",),
)
KMS_DENIED = _row(
    "AWS-KMS-DENIED",
    "The KMS key of the secret denies its use",
    "AWS refused {operation} on {secret}: {text}",
    "The secret is encrypted with a key of your own, and the caller may use the secret but not the key. Reading needs "
    "kms:Decrypt, writing kms:GenerateDataKey as well.",
    Step(
        "See which key it is.",
        "aws secretsmanager describe-secret --secret-id {secret} --region {region} --query KmsKeyId",
    ),
    Step("Allow kms:Decrypt and kms:GenerateDataKey on it, in its key policy and for the caller."),
    _WHO,
    refs=(_GUIDE + "security-encryption.html",),
)
DECRYPTION = _row(
    "AWS-DECRYPTION",
    "The secret's KMS key does not work",
    "AWS could not use the key ({code}): {text}",
    "The key is disabled, waits for its deletion, or lives in a key store that is cut off. The permission is not what "
    "is missing.",
    Step(
        "See which key it is, then its state by `aws kms describe-key`.",
        "aws secretsmanager describe-secret --secret-id {secret} --region {region} --query KmsKeyId",
    ),
    refs=("https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html",),
)

# What the service says no to

INVALID = _row(
    "AWS-INVALID-PARAMETER",
    "AWS takes the request for malformed",
    "AWS refused {operation} on {secret} ({code}): {text}",
    "A value in the request breaks a rule of the service. A name holds ASCII letters, digits and /_+=.@- only.",
    Step(
        "Compare the name with those that are there.",
        "aws secretsmanager list-secrets --region {region} --query 'SecretList[].Name' --output text",
    ),
    refs=(_API + "API_PutSecretValue.html",),
)
INVALID_REQUEST = _row(
    "AWS-INVALID-REQUEST",
    "AWS does not allow this in the secret's state",
    "AWS refused {operation} on {secret}: {text}",
    "The request is well formed, and the secret's state forbids it: its rotation, its owner or its deletion.",
    Step("See its state.", "aws secretsmanager describe-secret --secret-id {secret} --region {region}"),
    refs=(_API + "API_PutSecretValue.html",),
)
EXISTS = _row(
    "AWS-SECRET-EXISTS",
    "Somebody made the secret at the same moment",
    "AWS refused {operation} on {secret} ({code}): {text}",
    "It was not there when it was looked for, and was when it was to be made: another run, a pipeline or Terraform was "
    "faster. Nothing of theirs was overwritten.",
    Step("Look at what it holds now; this writes nothing.", "otelctl push-secret --secret-id {secret} --dry-run"),
    refs=(_API + "API_CreateSecret.html",),
)
LIMIT = _row(
    "AWS-LIMIT",
    "A quota of Secrets Manager is used up",
    "AWS refused {operation} on {secret}: {text}",
    "A secret keeps about 100 versions and never drops one of the last 24 hours, so that more than a write in ten "
    "minutes fills it. The staging labels of a secret are limited too.",
    Step(
        "See the versions and who makes them.",
        "aws secretsmanager list-secret-version-ids --secret-id {secret} --region {region} --include-deprecated",
    ),
    Step("Wait until versions are older than a day."),
    refs=(_GUIDE + "reference_limits.html",),
)
THROTTLED = _row(
    "AWS-THROTTLED",
    "AWS throttles the calls",
    "{operation} was refused for its rate, four times over: {text}",
    "The account as a whole asks Secrets Manager or KMS too often right now. otelctl makes seven calls for a write.",
    Step("Try again in a minute.", "otelctl push-secret --secret-id {secret} --dry-run"),
    refs=(_GUIDE + "reference_limits.html",),
    severity=Severity.UNKNOWN,
)
SERVICE = _row(
    "AWS-SERVICE-FAULT",
    "Secrets Manager failed on its side",
    "{operation} was answered {code} four times over: {text}",
    "The service, or whatever answers at {endpoint}, has a fault of its own. Nothing of yours is wrong.",
    Step("Look at the service's state on https://health.aws.amazon.com and try again."),
    severity=Severity.UNKNOWN,
)
UNKNOWN = _row(
    "AWS-FAULT",
    "The secret store refused for a reason new to otelctl",
    "{operation} on {secret} gave {code}: {text}",
    "otelctl knows no such answer. The words are the store's own.",
    Step("Look the code up in the errors of this operation."),
    refs=(_API + "CommonErrors.html",),
)

# Credentials, region, way

TOKEN_EXPIRED = _row(
    "AWS-TOKEN-EXPIRED",
    "The temporary AWS credentials have expired",
    "AWS refused {operation} ({code}): {text}",
    "A session token lives for minutes to hours. Variables that were exported or pasted outlive it.",
    Step(
        "Get new ones the way you got these, or drop the old variables so that a profile counts again.",
        "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
    ),
    _WHO,
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html",),
)
SSO = _row(
    "AWS-SSO-LOGIN",
    "The AWS login session is missing or over",
    "botocore found no session to use for the profile {profile}: {text}",
    "The profile takes its credentials from a login in the browser, which lasts some hours.",
    Step("Log in again.", "aws sso login --profile {profile}"),
    refs=("https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html",),
)
CREDENTIALS_INVALID = _row(
    "AWS-CREDENTIALS-INVALID",
    "AWS does not know these credentials",
    "AWS refused {operation} ({code}): {text}",
    "The access key is deleted, mistyped or of another partition, its secret half does not match, or the session token "
    "that belongs to it is missing.",
    Step("See where the credentials come from.", "aws configure list"),
    _WHO,
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-keys.html",),
)
CLOCK = _row(
    "AWS-CLOCK",
    "The clock here is off, and AWS signatures fail",
    "AWS refused {operation} ({code}): {text}",
    "A signature holds the time and counts for five minutes.",
    Step("Compare the clocks; the second line is AWS's.", "date -u; curl -sI https://aws.amazon.com | grep -i ^date"),
    Step("Turn time synchronisation on.", "timedatectl set-ntp true"),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html",),
)
NO_CREDENTIALS = _row(
    "AWS-NO-CREDENTIALS",
    "No AWS credentials are set up here",
    "botocore found none that are whole: {text}",
    "It looks at AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, at the profile, and at the role of the container or the "
    "machine. None of them gave any.",
    Step("See what is set.", "aws configure list"),
    Step("Name a profile, or log in.", "export AWS_PROFILE=NAME"),
    refs=(_BOTO + "credentials.html",),
)
CREDENTIALS_SOURCE = _row(
    "AWS-CREDENTIALS-SOURCE",
    "The source of the AWS credentials failed",
    "botocore could not get credentials ({code}): {text}",
    "The profile or a variable names a process, a file, a role, a second factor or a package that gives the "
    "credentials, and that failed.",
    Step("Ask the same source by the AWS tool, which says more.", "aws sts get-caller-identity --debug"),
    refs=(_BOTO + "credentials.html",),
)
NO_REGION = _row(
    "AWS-NO-REGION",
    "No AWS region is set",
    "botocore found no region: {text}",
    "It reads AWS_DEFAULT_REGION and the profile. AWS_REGION, which other SDKs read, it ignores.",
    Step("Name the region of the secret.", "export AWS_DEFAULT_REGION={region}"),
    refs=(_BOTO + "configuration.html",),
)
REGION_INVALID = _row(
    "AWS-REGION-INVALID",
    "The AWS region is no region's name",
    "botocore refused the region: {text}",
    "A region reads like eu-west-1: no spaces, no zone letter at its end, no console title such as Ireland.",
    Step("Name the region of the secret.", "{region_command}"),
    refs=("https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html",),
)
WRONG_REGION = _row(
    "AWS-WRONG-REGION",
    "The secret lives in another region than was asked",
    "The ARN names {arn_region}; the call went to {region}.",
    "Secrets Manager knows its own region's secrets only. The region comes from --region, AWS_DEFAULT_REGION or the "
    "profile, never from the ARN.",
    Step("Ask where the secret lives.", "{region_command}"),
    refs=(_BOTO + "configuration.html",),
)
PROFILE = _row(
    "AWS-PROFILE",
    "The AWS profile does not exist",
    "botocore finds no profile {profile} in its files: {text}",
    "AWS_PROFILE or the option names a profile that neither ~/.aws/config nor ~/.aws/credentials holds; an empty "
    "AWS_PROFILE counts as a name. In the first file its section reads [profile NAME], in the second [NAME].",
    Step("List those that are there.", "aws configure list-profiles"),
    Step("Use the default: leave --profile out where it was given, and drop the variable.", "unset AWS_PROFILE"),
    refs=(_BOTO + "configuration.html",),
)
CONFIG = _row(
    "AWS-CONFIG",
    "The AWS configuration cannot be read",
    "botocore stopped at its configuration ({code}): {text}",
    "A file or a variable of the AWS tools holds something that they do not understand.",
    Step("See what they make of it.", "aws configure list"),
    refs=(_BOTO + "configuration.html",),
)
ENDPOINT_URL = _row(
    "AWS-ENDPOINT-URL",
    "AWS_ENDPOINT_URL holds no URL",
    "botocore refused the endpoint: {text}",
    "AWS_ENDPOINT_URL, its form for one service or the profile's endpoint_url sends calls to a stand-in for AWS. It "
    "needs a scheme and a host.",
    Step("See whether you want one at all.", "env | grep ^AWS_ENDPOINT_URL"),
    refs=("https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html",),
)
UNREACHABLE = _row(
    "AWS-UNREACHABLE",
    "Secrets Manager cannot be reached",
    "{endpoint}: {text}",
    "No connection, or none that lasts: no way out of the VPC (an interface endpoint or a NAT is missing), a proxy, a "
    "firewall, or a region that does not exist and so has no address ({region} was asked).",
    Step("See how far a connection gets.", "curl -v --max-time 10 {endpoint}"),
    refs=(_GUIDE + "vpc-endpoint-overview.html",),
    severity=Severity.UNKNOWN,
)
TLS = _row(
    "AWS-TLS",
    "The TLS handshake with AWS fails",
    "{endpoint}: {text}",
    "botocore trusts the CAs that come with it, not the system's. A proxy that opens TLS needs its own CA named.",
    Step("Name the CA file of your company.", "export AWS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt"),
    refs=(_BOTO + "configuration.html",),
)
NOT_AWS = _row(
    "AWS-NOT-SECRETS-MANAGER",
    "What answers is not Secrets Manager",
    "{endpoint} answered {operation} with {code}: {text}",
    "AWS_ENDPOINT_URL or a proxy leads the calls to a server that does not speak this service's protocol.",
    Step("See which endpoint is set.", "env | grep -i -e ^AWS_ENDPOINT_URL -e _proxy="),
    refs=("https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html",),
)

# The stored text

BINARY = _row(
    "AWS-SECRET-BINARY",
    "The secret is binary",
    "{secret} holds SecretBinary, into which no key can be merged.",
    "It was written by --secret-binary or by a tool that does so.",
    Step("Keep the two keys in a secret of their own.", "otelctl push-secret --secret-id otel/exporter --create"),
    refs=(_API + "API_GetSecretValue.html",),
)
NOT_JSON = _row(
    "AWS-SECRET-NOT-JSON",
    "The secret's text is not JSON",
    "{secret} cannot be read as JSON: {detail}.",
    "It holds a bare value, or JSON that was edited by hand and broke. ECS could not read a key from it either.",
    _CHECK_TEXT,
    Step("Mend it by hand, or keep the two keys apart.", "otelctl push-secret --secret-id otel/exporter --create"),
    refs=("https://www.rfc-editor.org/rfc/rfc8259",),
)
NOT_OBJECT = _row(
    "AWS-SECRET-NOT-OBJECT",
    "The secret's JSON is not an object",
    "{secret} holds {detail} where keys need an object.",
    "Keys and values live in an object, {{…}}. ECS could not read a key from it either.",
    Step("Keep the two keys in a secret of their own.", "otelctl push-secret --secret-id otel/exporter --create"),
    refs=("https://www.rfc-editor.org/rfc/rfc8259",),
)
DUPLICATE_KEYS = _row(
    "AWS-SECRET-DUPLICATE-KEYS",
    "A key occurs twice in the secret",
    "{secret} holds more than once: {names}.",
    "Readers keep one of the two in silence, and not all the same one. A merge would have to choose between them.",
    Step(
        "Delete the one that is wrong, in the editor of the console or by hand; this lists the names again, no value.",
        # The keys of the outermost object: a leaf's path of one, or the end, which has a length of 1, of one below it.
        "aws secretsmanager get-secret-value --secret-id {secret} --query SecretString --output text "
        "| jq -r --stream 'select((.[0] | length) + length == 3) | .[0][0]' | sort | uniq -d",
    ),
    refs=("https://www.rfc-editor.org/rfc/rfc8259#section-4",),
)
KEY_CASE = _row(
    "AWS-SECRET-KEY-CASE",
    "A key that differs in case alone stands beside ours",
    "{secret} holds {names} as well, beside {ours}, which takes the value.",
    "Capitals count in keys. Whatever reads the other one, a task definition of ECS or an application, does not get "
    "the new value.",
    Step("Where the other one is read, write to that.", "otelctl push-secret --secret-id {secret} {option} {other}"),
    Step("Where nothing reads it, delete it, so that nobody takes it for the one in use."),
    refs=("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html",),
    severity=Severity.WARNING,
)
TOO_DEEP = _row(
    "AWS-SECRET-TOO-DEEP",
    "The secret's JSON is nested beyond reading",
    "{secret}: {detail}.",
    "Hundreds of brackets inside each other: no tool meant that, and many readers stop at it.",
    _CHECK_TEXT,
    refs=("https://www.rfc-editor.org/rfc/rfc8259#section-9",),
)
TOO_LARGE = _row(
    "AWS-SECRET-TOO-LARGE",
    "The secret would grow beyond 65,536 bytes",
    "{secret} would have {size} bytes with the change; AWS takes 65,536.",
    "The limit counts the whole text in UTF-8. Nothing was written.",
    Step("Keep the two keys in a secret of their own.", "otelctl push-secret --secret-id otel/exporter --create"),
    refs=(_GUIDE + "reference_limits.html",),
)

# The write

CONFLICT = _row(
    "AWS-CONFLICT",
    "Others keep changing the secret",
    "{secret} was at version {expected} when read and at {found} when written; every try met another writer.",
    "Somebody, or a job that runs in a loop, writes this secret over and over. Nothing of theirs was overwritten, and "
    "nothing of ours is in it.",
    Step(
        "See who writes it.",
        "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=PutSecretValue",
    ),
    Step("Try again.", "otelctl push-secret --secret-id {secret}"),
    refs=(_API + "API_UpdateSecretVersionStage.html",),
)
GUARD_WEAK = _row(
    "AWS-GUARD-WEAK",
    "The write was guarded by a comparison only",
    "secretsmanager:UpdateSecretVersionStage on {secret} is denied, so version {version} was written by read, compare, "
    "put.",
    "Moving AWSCURRENT is the one write of the service that fails when somebody else was faster. Without it, a change "
    "within the few milliseconds between comparing and writing is overwritten, and is only noticed afterwards.",
    Step("Allow secretsmanager:UpdateSecretVersionStage on the secret for the identity that pushes."),
    _WHO,
    refs=(_API + "API_UpdateSecretVersionStage.html",),
    severity=Severity.WARNING,
)
OVERWROTE = _row(
    "AWS-OVERWROTE",
    "Somebody's change was overwritten",
    "Version {displaced} of {secret} came between our read and our write, and is AWSPREVIOUS now.",
    "Without the permission secretsmanager:UpdateSecretVersionStage the write could compare only just before, and "
    "somebody wrote in the moment between. Their version is kept; what it changed is missing from the current one.",
    Step(
        "See the names in theirs, then put what is missing back.",
        "aws secretsmanager get-secret-value --secret-id {secret} --version-id {displaced} --query SecretString "
        "--output text | jq keys",
    ),
    Step("Allow secretsmanager:UpdateSecretVersionStage, so that it cannot happen again."),
    refs=(_API + "API_UpdateSecretVersionStage.html",),
)
ROTATION_PENDING = _row(
    "AWS-ROTATION-PENDING",
    "A rotation of the secret has not ended",
    "{secret} had version {pending} under AWSPENDING when it was written, beside the current one.",
    "A rotation makes such a version and, when it ends, makes it the current one. It was made before this write, so "
    "what was written may then be gone. A rotation that broke off leaves the label too, until the next one.",
    Step(
        "See where the labels are, and when the secret was rotated.",
        "aws secretsmanager describe-secret --secret-id {secret} --region {region} "
        "--query '[RotationEnabled,LastRotatedDate,VersionIdsToStages]'",
    ),
    _AGAIN,
    refs=(_API + "API_RotateSecret.html",),
    severity=Severity.WARNING,
)
VERIFY = _row(
    "AWS-VERIFY",
    "The value read back is not what was written",
    "{secret} at version {version} holds another text than was sent.",
    "The store took the write and gives back something else. Secrets Manager itself does not do that; a stand-in or a "
    "proxy at {endpoint} may.",
    Step("See which endpoint is set.", "env | grep -i -e ^AWS_ENDPOINT_URL -e _proxy="),
    _AGAIN,
)
UNVERIFIED = _row(
    "AWS-UNVERIFIED",
    "The write is done and could not be read back",
    "{secret} was written as version {version}; reading it again gave {code}: {text}",
    "The store said yes to the write, and then no longer answered, so it is likely in place and not proven.",
    _AGAIN,
    severity=Severity.UNKNOWN,
)
OUTCOME_UNKNOWN = _row(
    "AWS-OUTCOME-UNKNOWN",
    "It is not known whether the write took effect",
    "The last step of the write to {secret} got no answer ({code}), and reading it again failed too.",
    "The connection broke at the moment of the write. The secret holds what it held before, or the new value, whole.",
    Step(
        "See which; where it holds the values already, nothing is written.", "otelctl push-secret --secret-id {secret}"
    ),
    severity=Severity.UNKNOWN,
)
LABEL_LEFT = _row(
    "AWS-LABEL-LEFT",
    "A staging label of otelctl was left behind",
    "The label {label} is still on a version of {secret}.",
    "It is dropped last, and that was refused or got no answer. It harms nothing, and the next write takes it over.",
    Step(
        "See where it is.",
        "aws secretsmanager describe-secret --secret-id {secret} --query VersionIdsToStages",
    ),
    refs=(_API + "API_UpdateSecretVersionStage.html",),
    severity=Severity.NOTICE,
)

ROWS = (
    NOT_FOUND,
    EMPTY,
    NO_PREVIOUS,
    RETURN_NEWER,
    DELETED,
    MANAGED,
    REPLICA,
    ARN_SUFFIX,
    ACCESS_DENIED,
    KMS_DENIED,
    DECRYPTION,
    INVALID,
    INVALID_REQUEST,
    EXISTS,
    LIMIT,
    THROTTLED,
    SERVICE,
    UNKNOWN,
    TOKEN_EXPIRED,
    SSO,
    CREDENTIALS_INVALID,
    CLOCK,
    NO_CREDENTIALS,
    CREDENTIALS_SOURCE,
    NO_REGION,
    REGION_INVALID,
    WRONG_REGION,
    PROFILE,
    CONFIG,
    ENDPOINT_URL,
    UNREACHABLE,
    TLS,
    NOT_AWS,
    BINARY,
    NOT_JSON,
    NOT_OBJECT,
    DUPLICATE_KEYS,
    KEY_CASE,
    TOO_DEEP,
    TOO_LARGE,
    CONFLICT,
    GUARD_WEAK,
    OVERWROTE,
    ROTATION_PENDING,
    VERIFY,
    UNVERIFIED,
    OUTCOME_UNKNOWN,
    LABEL_LEFT,
)
