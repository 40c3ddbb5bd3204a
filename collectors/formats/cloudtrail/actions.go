package cloudtrail

import (
	"strings"

	"vigil"
)

// The sensitivity of what a call is about, as rules know it.
const (
	classAudit   = "audit"
	classChat    = "chat"
	classContact = "contact"
	classMemory  = "memory"
	classSecret  = "secret"
)

// op is what a call does. resource is what it is about where its parameters name that by
// a number only.
type op struct {
	action          vigil.Action
	class, resource string
}

// operations says what calls do whose name does not, or not enough: by service and name.
var operations = map[string]map[string]op{
	"s3": {
		"GetObject": {action: vigil.ActionRead}, "GetObjectTorrent": {action: vigil.ActionRead}, "HeadObject": {action: vigil.ActionOther},
		"SelectObjectContent": {action: vigil.ActionSearch}, "ListObjects": {action: vigil.ActionSearch}, "ListObjectsV2": {action: vigil.ActionSearch},
		"PutObject": {action: vigil.ActionWrite}, "CopyObject": {action: vigil.ActionWrite}, "UploadPart": {action: vigil.ActionWrite},
		"UploadPartCopy": {action: vigil.ActionWrite}, "CreateMultipartUpload": {action: vigil.ActionWrite}, "CompleteMultipartUpload": {action: vigil.ActionWrite},
		"AbortMultipartUpload": {action: vigil.ActionOther}, "RestoreObject": {action: vigil.ActionWrite}, "PutObjectTagging": {action: vigil.ActionWrite},
		"DeleteObject": {action: vigil.ActionDelete}, "DeleteObjects": {action: vigil.ActionDelete},
		"PutBucketPolicy": {action: vigil.ActionShare}, "PutBucketAcl": {action: vigil.ActionShare}, "PutObjectAcl": {action: vigil.ActionShare},
		"PutBucketWebsite": {action: vigil.ActionShare}, "PutBucketReplication": {action: vigil.ActionShare}, "PutAccessPointPolicy": {action: vigil.ActionShare},
		"DeleteBucketPublicAccessBlock": {action: vigil.ActionShare}, "DeleteAccountPublicAccessBlock": {action: vigil.ActionShare},
		"PutBucketLogging": {action: vigil.ActionConfigure, class: classAudit}, "CreateJob": {action: vigil.ActionExport},
	},
	"dynamodb": {
		"GetItem": {action: vigil.ActionRead}, "BatchGetItem": {action: vigil.ActionRead}, "TransactGetItems": {action: vigil.ActionRead},
		"GetRecords": {action: vigil.ActionRead}, "Query": {action: vigil.ActionSearch}, "Scan": {action: vigil.ActionSearch},
		"PutItem": {action: vigil.ActionWrite}, "UpdateItem": {action: vigil.ActionWrite}, "BatchWriteItem": {action: vigil.ActionWrite},
		"TransactWriteItems": {action: vigil.ActionWrite}, "DeleteItem": {action: vigil.ActionDelete},
		"ExecuteStatement": {action: vigil.ActionExecute}, "BatchExecuteStatement": {action: vigil.ActionExecute}, "ExecuteTransaction": {action: vigil.ActionExecute},
		"ExportTableToPointInTime": {action: vigil.ActionExport}, "CreateBackup": {action: vigil.ActionExport}, "PutResourcePolicy": {action: vigil.ActionShare},
		"EnableKinesisStreamingDestination": {action: vigil.ActionShare},
	},
	"lex": {
		"RecognizeText": {action: vigil.ActionExecute, class: classChat}, "RecognizeUtterance": {action: vigil.ActionExecute, class: classChat},
		"StartConversation": {action: vigil.ActionExecute, class: classChat}, "PostText": {action: vigil.ActionExecute, class: classChat},
		"PostContent": {action: vigil.ActionExecute, class: classChat}, "GetSession": {action: vigil.ActionRead, class: classChat},
		"PutSession": {action: vigil.ActionWrite, class: classChat}, "DeleteSession": {action: vigil.ActionDelete, class: classChat},
		"ListUtteranceAnalyticsData": {action: vigil.ActionSearch, class: classChat}, "ListSessionAnalyticsData": {action: vigil.ActionSearch, class: classChat},
		"ListAggregatedUtterances": {action: vigil.ActionSearch, class: classChat}, "GetUtterancesView": {action: vigil.ActionSearch, class: classChat},
		"SearchAssociatedTranscripts": {action: vigil.ActionSearch, class: classChat}, "DeleteUtterances": {action: vigil.ActionDelete, class: classChat},
		"CreateExport": {action: vigil.ActionExport}, "CreateResourcePolicy": {action: vigil.ActionShare},
		"CreateResourcePolicyStatement": {action: vigil.ActionShare}, "UpdateResourcePolicy": {action: vigil.ActionShare},
	},
	"connect": {
		"DescribeContact": {vigil.ActionRead, classChat, "contacts"}, "GetContactAttributes": {vigil.ActionRead, classContact, "contacts"},
		"GetTranscript": {vigil.ActionRead, classChat, "contacts"}, "ListRealtimeContactAnalysisSegments": {vigil.ActionRead, classChat, "contacts"},
		"ListRealtimeContactAnalysisSegmentsV2": {vigil.ActionRead, classChat, "contacts"}, "MonitorContact": {vigil.ActionRead, classChat, "contacts"},
		"GetAttachedFile": {vigil.ActionRead, classChat, "attachments"}, "BatchGetAttachedFileMetadata": {vigil.ActionRead, classChat, "attachments"},
		"SearchContacts": {vigil.ActionSearch, classChat, "contacts"}, "ListContactReferences": {vigil.ActionSearch, classChat, "contacts"},
		"ListContactEvaluations": {vigil.ActionSearch, "", "evaluations"}, "UpdateContactAttributes": {vigil.ActionWrite, classContact, "contacts"},
		"UpdateContact": {vigil.ActionWrite, classContact, "contacts"}, "StartChatContact": {vigil.ActionExecute, classChat, "contacts"},
		"StartOutboundVoiceContact": {vigil.ActionExecute, classChat, "contacts"}, "StartTaskContact": {vigil.ActionExecute, classChat, "contacts"},
		"StopContact": {vigil.ActionOther, classChat, "contacts"}, "TransferContact": {vigil.ActionOther, classChat, "contacts"},
		"StartContactStreaming": {vigil.ActionShare, classChat, "contacts"}, "StopContactStreaming": {vigil.ActionOther, classChat, "contacts"},
		"StartContactRecording": {vigil.ActionOther, classChat, "recordings"}, "StopContactRecording": {vigil.ActionOther, classChat, "recordings"},
		"SuspendContactRecording": {vigil.ActionOther, classChat, "recordings"}, "ResumeContactRecording": {vigil.ActionOther, classChat, "recordings"},
		"GetFederationToken": {vigil.ActionLogin, "", ""}, "AdminGetEmergencyAccessToken": {vigil.ActionGrant, "", ""},
		"CreateUser": {vigil.ActionGrant, "", "users"}, "UpdateUserSecurityProfiles": {vigil.ActionGrant, "", "users"},
		"UpdateSecurityProfile": {vigil.ActionGrant, "", "security profiles"}, "CreateSecurityProfile": {vigil.ActionGrant, "", "security profiles"},
		"UpdateUserIdentityInfo": {vigil.ActionConfigure, "", "users"}, "DeleteUser": {vigil.ActionDelete, "", "users"}, "ListUsers": {vigil.ActionSearch, "", "users"},
		"DescribeUser": {vigil.ActionRead, "", "users"}, "GetMetricData": {vigil.ActionRead, "", "metrics"}, "GetMetricDataV2": {vigil.ActionRead, "", "metrics"},
		"GetCurrentMetricData": {vigil.ActionRead, "", "metrics"}, "GetCurrentUserData": {vigil.ActionRead, "", "metrics"},
		"DisassociateInstanceStorageConfig": {vigil.ActionConfigure, classAudit, "storage"}, "UpdateInstanceStorageConfig": {vigil.ActionConfigure, classAudit, "storage"},
	},
	"customer-profiles": {
		"SearchProfiles": {vigil.ActionSearch, classContact, ""}, "GetProfile": {vigil.ActionRead, classContact, ""}, "BatchGetProfile": {vigil.ActionRead, classContact, ""},
		"ListProfileObjects": {vigil.ActionRead, classContact, ""}, "GetMatches": {vigil.ActionRead, classContact, ""}, "GetSimilarProfiles": {vigil.ActionSearch, classContact, ""},
		"GetCalculatedAttributeForProfile": {vigil.ActionRead, classContact, ""}, "CreateSegmentSnapshot": {vigil.ActionExport, classContact, ""},
		"PutProfileObject": {vigil.ActionWrite, classContact, ""}, "CreateProfile": {vigil.ActionWrite, classContact, ""}, "UpdateProfile": {vigil.ActionWrite, classContact, ""},
		"MergeProfiles": {vigil.ActionWrite, classContact, ""}, "DeleteProfile": {vigil.ActionDelete, classContact, ""},
	},
	"connect-cases": {
		"GetCase": {vigil.ActionRead, classChat, "cases"}, "SearchCases": {vigil.ActionSearch, classChat, "cases"}, "SearchRelatedItems": {vigil.ActionSearch, classChat, "cases"},
		"GetCaseAuditEvents": {vigil.ActionRead, classAudit, "cases"}, "CreateCase": {vigil.ActionWrite, classChat, "cases"}, "UpdateCase": {vigil.ActionWrite, classChat, "cases"},
		"CreateRelatedItem": {vigil.ActionWrite, classChat, "cases"}, "ListCasesForContact": {vigil.ActionSearch, classChat, "cases"},
	},
	"wisdom": {
		"QueryAssistant": {vigil.ActionSearch, "", ""}, "GetRecommendations": {vigil.ActionRead, "", ""}, "SearchSessions": {vigil.ActionSearch, classChat, ""},
		"GetSession": {vigil.ActionRead, classChat, ""}, "ListMessages": {vigil.ActionRead, classChat, ""}, "SendMessage": {vigil.ActionExecute, classChat, ""},
	},
	"bedrock": {
		"InvokeModel": {action: vigil.ActionExecute}, "InvokeModelWithResponseStream": {action: vigil.ActionExecute}, "Converse": {action: vigil.ActionExecute},
		"ConverseStream": {action: vigil.ActionExecute}, "InvokeAgent": {action: vigil.ActionExecute, class: classChat}, "InvokeInlineAgent": {action: vigil.ActionExecute, class: classChat},
		"InvokeFlow": {action: vigil.ActionExecute}, "Retrieve": {action: vigil.ActionSearch}, "RetrieveAndGenerate": {action: vigil.ActionSearch},
		"RetrieveAndGenerateStream": {action: vigil.ActionSearch}, "Rerank": {action: vigil.ActionExecute}, "ApplyGuardrail": {action: vigil.ActionExecute},
		"GetAgentMemory": {action: vigil.ActionRead, class: classMemory}, "DeleteAgentMemory": {action: vigil.ActionDelete, class: classMemory},
		"ListInvocations": {action: vigil.ActionRead, class: classChat}, "ListInvocationSteps": {action: vigil.ActionRead, class: classChat},
		"GetInvocationStep": {action: vigil.ActionRead, class: classChat}, "ListSessions": {action: vigil.ActionSearch, class: classChat},
		"GetSession": {action: vigil.ActionRead, class: classChat}, "PutInvocationStep": {action: vigil.ActionWrite, class: classChat},
		"DeleteModelInvocationLoggingConfiguration": {vigil.ActionConfigure, classAudit, "invocation logging"},
		"PutModelInvocationLoggingConfiguration":    {vigil.ActionConfigure, classAudit, "invocation logging"},
		"GetModelInvocationLoggingConfiguration":    {vigil.ActionRead, "", "invocation logging"},
	},
	"bedrock-agentcore": {
		"RetrieveMemoryRecords": {action: vigil.ActionSearch, class: classMemory}, "GetMemoryRecord": {action: vigil.ActionRead, class: classMemory},
		"ListMemoryRecords": {action: vigil.ActionSearch, class: classMemory}, "ListEvents": {action: vigil.ActionSearch, class: classMemory},
		"GetEvent": {action: vigil.ActionRead, class: classMemory}, "CreateEvent": {action: vigil.ActionWrite, class: classMemory},
		"DeleteEvent": {action: vigil.ActionDelete, class: classMemory}, "InvokeAgentRuntime": {action: vigil.ActionExecute},
	},
	"secretsmanager": {
		"GetSecretValue": {action: vigil.ActionRead, class: classSecret}, "BatchGetSecretValue": {action: vigil.ActionRead, class: classSecret},
		"PutSecretValue": {action: vigil.ActionWrite, class: classSecret}, "CreateSecret": {action: vigil.ActionWrite, class: classSecret},
		"UpdateSecret": {action: vigil.ActionWrite, class: classSecret}, "DeleteSecret": {action: vigil.ActionDelete, class: classSecret},
		"PutResourcePolicy": {action: vigil.ActionShare, class: classSecret}, "ReplicateSecretToRegions": {action: vigil.ActionShare, class: classSecret},
		"GetRandomPassword": {action: vigil.ActionOther}, "DescribeSecret": {action: vigil.ActionOther},
	},
	"ssm": {
		"GetParameter": {action: vigil.ActionRead, class: classSecret}, "GetParameters": {action: vigil.ActionRead, class: classSecret},
		"GetParametersByPath": {action: vigil.ActionRead, class: classSecret}, "GetParameterHistory": {action: vigil.ActionRead, class: classSecret},
		"PutParameter": {action: vigil.ActionWrite, class: classSecret}, "SendCommand": {action: vigil.ActionExecute}, "StartSession": {action: vigil.ActionLogin},
		"ResumeSession": {action: vigil.ActionLogin}, "TerminateSession": {action: vigil.ActionLogout}, "StartAutomationExecution": {action: vigil.ActionExecute},
		"ModifyDocumentPermission": {action: vigil.ActionShare},
	},
	"kms": {
		"Decrypt": {action: vigil.ActionExecute}, "Encrypt": {action: vigil.ActionExecute}, "GenerateDataKey": {action: vigil.ActionExecute},
		"ReEncrypt": {action: vigil.ActionExecute}, "Sign": {action: vigil.ActionExecute}, "CreateGrant": {action: vigil.ActionGrant},
		"PutKeyPolicy": {action: vigil.ActionShare}, "ScheduleKeyDeletion": {action: vigil.ActionDelete},
	},
	"sts": {
		"AssumeRole": {action: vigil.ActionLogin}, "AssumeRoleWithSAML": {action: vigil.ActionLogin}, "AssumeRoleWithWebIdentity": {action: vigil.ActionLogin},
		"AssumeRoot": {action: vigil.ActionLogin}, "GetSessionToken": {action: vigil.ActionGrant}, "GetFederationToken": {action: vigil.ActionGrant},
		"GetCallerIdentity": {action: vigil.ActionOther}, "DecodeAuthorizationMessage": {action: vigil.ActionOther},
	},
	"signin": {
		"ConsoleLogin": {action: vigil.ActionLogin}, "SwitchRole": {action: vigil.ActionLogin}, "AssumeRole": {action: vigil.ActionLogin}, "CheckMfa": {action: vigil.ActionLogin},
		"GetSigninToken": {action: vigil.ActionLogin}, "RenewRole": {action: vigil.ActionLogin}, "ExitRole": {action: vigil.ActionLogout}, "Logout": {action: vigil.ActionLogout},
		"UserAuthentication": {action: vigil.ActionLogin}, "CredentialChallenge": {action: vigil.ActionLogin}, "CredentialVerification": {action: vigil.ActionLogin},
		"PasswordRecoveryRequested": {action: vigil.ActionConfigure}, "PasswordRecoveryCompleted": {action: vigil.ActionConfigure}, "PasswordUpdated": {action: vigil.ActionConfigure},
	},
	"sso": {
		"Authenticate": {action: vigil.ActionLogin}, "Federate": {action: vigil.ActionLogin}, "GetRoleCredentials": {action: vigil.ActionLogin},
		"Logout": {action: vigil.ActionLogout}, "CreateAccountAssignment": {action: vigil.ActionGrant}, "AttachManagedPolicyToPermissionSet": {action: vigil.ActionGrant},
		"PutInlinePolicyToPermissionSet": {action: vigil.ActionGrant}, "ProvisionPermissionSet": {action: vigil.ActionGrant},
	},
	"sso-oidc":      {"CreateToken": {action: vigil.ActionLogin}, "CreateTokenWithIAM": {action: vigil.ActionLogin}},
	"identitystore": {"CreateGroupMembership": {action: vigil.ActionGrant}},
	"iam": {
		"CreateAccessKey": {action: vigil.ActionGrant}, "UpdateAccessKey": {action: vigil.ActionGrant}, "CreateLoginProfile": {action: vigil.ActionGrant},
		"UpdateLoginProfile": {action: vigil.ActionGrant}, "AttachRolePolicy": {action: vigil.ActionGrant}, "AttachUserPolicy": {action: vigil.ActionGrant},
		"AttachGroupPolicy": {action: vigil.ActionGrant}, "PutUserPolicy": {action: vigil.ActionGrant}, "PutRolePolicy": {action: vigil.ActionGrant},
		"PutGroupPolicy": {action: vigil.ActionGrant}, "AddUserToGroup": {action: vigil.ActionGrant}, "AddRoleToInstanceProfile": {action: vigil.ActionGrant},
		"UpdateAssumeRolePolicy": {action: vigil.ActionGrant}, "CreatePolicyVersion": {action: vigil.ActionGrant}, "SetDefaultPolicyVersion": {action: vigil.ActionGrant},
		"CreateServiceSpecificCredential": {action: vigil.ActionGrant}, "UploadSSHPublicKey": {action: vigil.ActionGrant}, "UploadSigningCertificate": {action: vigil.ActionGrant},
		"CreateSAMLProvider": {action: vigil.ActionGrant}, "UpdateSAMLProvider": {action: vigil.ActionGrant}, "CreateOpenIDConnectProvider": {action: vigil.ActionGrant},
		"GetCredentialReport": {action: vigil.ActionExport}, "GetAccountAuthorizationDetails": {action: vigil.ActionExport},
	},
	"cloudtrail": {
		"StopLogging": {action: vigil.ActionConfigure, class: classAudit}, "DeleteTrail": {action: vigil.ActionConfigure, class: classAudit},
		"UpdateTrail": {action: vigil.ActionConfigure, class: classAudit}, "PutEventSelectors": {action: vigil.ActionConfigure, class: classAudit},
		"PutInsightSelectors": {action: vigil.ActionConfigure, class: classAudit}, "DeleteEventDataStore": {action: vigil.ActionConfigure, class: classAudit},
		"UpdateEventDataStore": {action: vigil.ActionConfigure, class: classAudit}, "StopEventDataStoreIngestion": {action: vigil.ActionConfigure, class: classAudit},
		"LookupEvents": {action: vigil.ActionSearch, class: classAudit}, "StartQuery": {action: vigil.ActionSearch, class: classAudit},
	},
	"logs": {
		"FilterLogEvents": {action: vigil.ActionSearch}, "GetLogEvents": {action: vigil.ActionRead}, "StartQuery": {action: vigil.ActionSearch},
		"GetQueryResults": {action: vigil.ActionRead}, "StartLiveTail": {action: vigil.ActionRead}, "GetLogRecord": {action: vigil.ActionRead}, "Unmask": {action: vigil.ActionRead},
		"CreateExportTask": {action: vigil.ActionExport}, "PutSubscriptionFilter": {action: vigil.ActionShare}, "PutDestinationPolicy": {action: vigil.ActionShare},
		"PutResourcePolicy": {action: vigil.ActionShare}, "DeleteDataProtectionPolicy": {action: vigil.ActionConfigure, class: classAudit},
		"CreateLogStream": {action: vigil.ActionOther}, "PutLogEvents": {action: vigil.ActionWrite},
	},
	"config": {
		"StopConfigurationRecorder": {action: vigil.ActionConfigure, class: classAudit}, "DeleteConfigurationRecorder": {action: vigil.ActionConfigure, class: classAudit},
		"DeleteDeliveryChannel": {action: vigil.ActionConfigure, class: classAudit},
	},
	"guardduty": {
		"DeleteDetector": {action: vigil.ActionConfigure, class: classAudit}, "UpdateDetector": {action: vigil.ActionConfigure, class: classAudit},
		"StopMonitoringMembers": {action: vigil.ActionConfigure, class: classAudit}, "DisassociateFromMasterAccount": {action: vigil.ActionConfigure, class: classAudit},
		"DisassociateFromAdministratorAccount": {action: vigil.ActionConfigure, class: classAudit},
	},
	"securityhub": {"DisableSecurityHub": {action: vigil.ActionConfigure, class: classAudit}, "BatchDisableStandards": {action: vigil.ActionConfigure, class: classAudit}},
	"macie":       {"DisableMacie": {action: vigil.ActionConfigure, class: classAudit}, "UpdateMacieSession": {action: vigil.ActionConfigure, class: classAudit}},
	"wafv2": {
		"DeleteLoggingConfiguration": {action: vigil.ActionConfigure, class: classAudit}, "PutLoggingConfiguration": {action: vigil.ActionConfigure, class: classAudit},
	},
	"route53resolver": {
		"DeleteResolverQueryLogConfig": {action: vigil.ActionConfigure, class: classAudit}, "DisassociateResolverQueryLogConfig": {action: vigil.ActionConfigure, class: classAudit},
	},
	"ec2": {
		"DeleteFlowLogs":          {action: vigil.ActionConfigure, class: classAudit},
		"ModifySnapshotAttribute": {action: vigil.ActionShare}, "ModifyImageAttribute": {action: vigil.ActionShare}, "CreateSnapshot": {action: vigil.ActionExport},
		"CreateSnapshots": {action: vigil.ActionExport}, "CopySnapshot": {action: vigil.ActionExport}, "CreateImage": {action: vigil.ActionExport}, "CopyImage": {action: vigil.ActionExport},
		"ExportImage": {action: vigil.ActionExport}, "CreateInstanceExportTask": {action: vigil.ActionExport}, "SharedSnapshotVolumeCreated": {action: vigil.ActionExport},
		"SharedSnapshotCopyInitiated": {action: vigil.ActionExport}, "AssociateIamInstanceProfile": {action: vigil.ActionGrant}, "ReplaceIamInstanceProfileAssociation": {action: vigil.ActionGrant},
		"CreateKeyPair": {action: vigil.ActionGrant}, "ImportKeyPair": {action: vigil.ActionGrant}, "GetPasswordData": {action: vigil.ActionRead, class: classSecret},
		"CreateTrafficMirrorSession": {action: vigil.ActionShare}, "TerminateInstances": {action: vigil.ActionDelete},
	},
	"ec2-instance-connect": {"SendSSHPublicKey": {action: vigil.ActionGrant}, "SendSerialConsoleSSHPublicKey": {action: vigil.ActionGrant}},
	"ebs":                  {"GetSnapshotBlock": {action: vigil.ActionRead}},
	"rds": {
		"ModifyDBSnapshotAttribute": {action: vigil.ActionShare}, "ModifyDBClusterSnapshotAttribute": {action: vigil.ActionShare}, "CreateDBSnapshot": {action: vigil.ActionExport},
		"CreateDBClusterSnapshot": {action: vigil.ActionExport}, "CopyDBSnapshot": {action: vigil.ActionExport}, "CopyDBClusterSnapshot": {action: vigil.ActionExport},
		"RestoreDBInstanceFromDBSnapshot": {action: vigil.ActionExport}, "RestoreDBClusterFromSnapshot": {action: vigil.ActionExport}, "StartExportTask": {action: vigil.ActionExport},
		"CreateDBInstanceReadReplica": {action: vigil.ActionExport}, "AddRoleToDBInstance": {action: vigil.ActionGrant}, "AddRoleToDBCluster": {action: vigil.ActionGrant},
		"DownloadDBLogFilePortion": {action: vigil.ActionRead}, "DownloadCompleteDBLogFile": {action: vigil.ActionRead}, "StopActivityStream": {action: vigil.ActionConfigure, class: classAudit},
	},
	"redshift": {
		"AuthorizeSnapshotAccess": {action: vigil.ActionShare}, "AuthorizeDataShare": {action: vigil.ActionShare}, "CreateClusterSnapshot": {action: vigil.ActionExport},
		"CopyClusterSnapshot": {action: vigil.ActionExport}, "GetClusterCredentials": {action: vigil.ActionGrant}, "GetClusterCredentialsWithIAM": {action: vigil.ActionGrant},
		"DisableLogging": {action: vigil.ActionConfigure, class: classAudit},
	},
	"redshift-data": {"ExecuteStatement": {action: vigil.ActionExecute}, "BatchExecuteStatement": {action: vigil.ActionExecute}, "GetStatementResult": {action: vigil.ActionRead}},
	"rds-data":      {"ExecuteStatement": {action: vigil.ActionExecute}, "BatchExecuteStatement": {action: vigil.ActionWrite}, "ExecuteSql": {action: vigil.ActionExecute}},
	"athena": {
		"StartQueryExecution": {action: vigil.ActionSearch}, "GetQueryResults": {action: vigil.ActionRead}, "GetQueryResultsStream": {action: vigil.ActionRead},
	},
	"backup":    {"StartCopyJob": {action: vigil.ActionExport}, "PutBackupVaultAccessPolicy": {action: vigil.ActionShare}, "StartRestoreJob": {action: vigil.ActionExport}},
	"datasync":  {"StartTaskExecution": {action: vigil.ActionExport}},
	"ram":       {"CreateResourceShare": {action: vigil.ActionShare}, "AssociateResourceShare": {action: vigil.ActionShare}},
	"lambda":    {"Invoke": {action: vigil.ActionExecute}, "AddPermission": {action: vigil.ActionShare}, "CreateFunctionUrlConfig": {action: vigil.ActionShare}},
	"ecr":       {"SetRepositoryPolicy": {action: vigil.ActionShare}},
	"sqs":       {"AddPermission": {action: vigil.ActionShare}, "ReceiveMessage": {action: vigil.ActionRead}, "SendMessage": {action: vigil.ActionWrite}},
	"sns":       {"AddPermission": {action: vigil.ActionShare}, "Subscribe": {action: vigil.ActionShare}, "Publish": {action: vigil.ActionWrite}},
	"glue":      {"PutResourcePolicy": {action: vigil.ActionShare}},
	"codebuild": {"UpdateProjectVisibility": {action: vigil.ActionShare}},
	"kinesis":   {"GetRecords": {action: vigil.ActionRead}, "PutRecord": {action: vigil.ActionWrite}, "PutRecords": {action: vigil.ActionWrite}},
	"cognito-idp": {
		"AdminGetUser": {action: vigil.ActionRead, class: classContact}, "ListUsers": {action: vigil.ActionSearch, class: classContact},
		"ListUsersInGroup": {action: vigil.ActionSearch, class: classContact}, "AdminSetUserPassword": {action: vigil.ActionGrant}, "AdminAddUserToGroup": {action: vigil.ActionGrant},
		"AdminInitiateAuth": {action: vigil.ActionLogin}, "InitiateAuth": {action: vigil.ActionLogin}, "RespondToAuthChallenge": {action: vigil.ActionLogin},
	},
	"lakeformation": {"GrantPermissions": {action: vigil.ActionGrant}, "GetDataAccess": {action: vigil.ActionRead}},
}

// verbs say what a call does by the word it begins with, the longer before the shorter.
var verbs = []struct {
	word   string
	action vigil.Action
}{
	{"BatchGet", vigil.ActionRead}, {"BatchDelete", vigil.ActionDelete}, {"BatchPut", vigil.ActionWrite}, {"BatchWrite", vigil.ActionWrite},
	{"Get", vigil.ActionRead}, {"Describe", vigil.ActionRead}, {"View", vigil.ActionRead}, {"Read", vigil.ActionRead}, {"Preview", vigil.ActionRead},
	{"Retrieve", vigil.ActionRead}, {"Receive", vigil.ActionRead}, {"Head", vigil.ActionOther}, {"Check", vigil.ActionOther}, {"Test", vigil.ActionOther},
	{"List", vigil.ActionSearch}, {"Search", vigil.ActionSearch}, {"Query", vigil.ActionSearch}, {"Scan", vigil.ActionSearch}, {"Select", vigil.ActionSearch},
	{"Lookup", vigil.ActionSearch}, {"Filter", vigil.ActionSearch}, {"Find", vigil.ActionSearch}, {"Discover", vigil.ActionSearch},
	{"Export", vigil.ActionExport}, {"Download", vigil.ActionExport}, {"Share", vigil.ActionShare}, {"Grant", vigil.ActionGrant},
	{"Delete", vigil.ActionDelete}, {"Purge", vigil.ActionDelete}, {"Terminate", vigil.ActionDelete},
	{"Invoke", vigil.ActionExecute}, {"Execute", vigil.ActionExecute}, {"Send", vigil.ActionExecute},
	{"Create", vigil.ActionConfigure}, {"Put", vigil.ActionConfigure}, {"Update", vigil.ActionConfigure}, {"Modify", vigil.ActionConfigure}, {"Set", vigil.ActionConfigure},
	{"Enable", vigil.ActionConfigure}, {"Disable", vigil.ActionConfigure}, {"Start", vigil.ActionConfigure}, {"Stop", vigil.ActionConfigure}, {"Add", vigil.ActionConfigure},
	{"Remove", vigil.ActionConfigure}, {"Attach", vigil.ActionConfigure}, {"Detach", vigil.ActionConfigure}, {"Associate", vigil.ActionConfigure},
	{"Disassociate", vigil.ActionConfigure}, {"Register", vigil.ActionConfigure}, {"Deregister", vigil.ActionConfigure}, {"Authorize", vigil.ActionConfigure},
	{"Revoke", vigil.ActionConfigure}, {"Restore", vigil.ActionConfigure}, {"Import", vigil.ActionConfigure}, {"Copy", vigil.ActionConfigure}, {"Run", vigil.ActionConfigure},
	{"Tag", vigil.ActionConfigure}, {"Untag", vigil.ActionConfigure}, {"Change", vigil.ActionConfigure}, {"Reset", vigil.ActionConfigure}, {"Deactivate", vigil.ActionConfigure},
	{"Upload", vigil.ActionConfigure}, {"Replace", vigil.ActionConfigure}, {"Reboot", vigil.ActionConfigure}, {"Failover", vigil.ActionConfigure}, {"Leave", vigil.ActionConfigure},
}

// lookUp says what a call does: by the table, else by its first word, else by whether it
// only reads.
func lookUp(service, name string, readOnly bool) op {
	if o, ok := operations[service][name]; ok {
		return o
	}
	for _, v := range verbs {
		if strings.HasPrefix(name, v.word) {
			return op{action: v.action}
		}
	}
	if readOnly {
		return op{action: vigil.ActionRead}
	}
	return op{action: vigil.ActionOther}
}
