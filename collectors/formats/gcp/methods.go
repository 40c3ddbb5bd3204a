package gcp

import (
	"strings"

	"vigil"
	"vigil/collectors/formats"
)

// The sensitivity of what a call is about, as rules know it.
const (
	classAudit   = "audit"
	classChat    = "chat"
	classContact = "contact"
	classSecret  = "secret"
)

// op is what a call does; resource is what it is about where the resource's name does
// not say it well.
type op struct {
	action          vigil.Action
	class, resource string
}

// calls say what a call does, by the last two words of its name (Interface.Method), with
// the service before a colon where the words are others' too.
var calls = map[string]op{
	// Dialogflow, ES and CX, and what is around them: the platform of bots.
	"Sessions.DetectIntent": {vigil.ActionExecute, classChat, ""}, "Sessions.StreamingDetectIntent": {vigil.ActionExecute, classChat, ""},
	"Sessions.ServerStreamingDetectIntent": {vigil.ActionExecute, classChat, ""}, "Sessions.MatchIntent": {vigil.ActionExecute, classChat, ""},
	"Sessions.FulfillIntent": {vigil.ActionExecute, classChat, ""}, "Sessions.SubmitAnswerFeedback": {vigil.ActionWrite, classChat, ""},
	"Participants.AnalyzeContent": {vigil.ActionExecute, classChat, ""}, "Participants.StreamingAnalyzeContent": {vigil.ActionExecute, classChat, ""},
	"Participants.SuggestSmartReplies": {vigil.ActionExecute, classChat, ""}, "Participants.SuggestArticles": {vigil.ActionExecute, classChat, ""},
	"ConversationHistory.ListConversations": {vigil.ActionSearch, classChat, "conversations"}, "ConversationHistory.GetConversation": {vigil.ActionRead, classChat, "conversations"},
	"ConversationHistory.DeleteConversation": {vigil.ActionDelete, classChat, "conversations"},
	"Conversations.ListConversations":        {vigil.ActionSearch, classChat, "conversations"}, "Conversations.GetConversation": {vigil.ActionRead, classChat, "conversations"},
	"Conversations.ListMessages": {vigil.ActionRead, classChat, "conversations"}, "Conversations.CreateConversation": {vigil.ActionWrite, classChat, "conversations"},
	"Conversations.CompleteConversation": {vigil.ActionWrite, classChat, "conversations"}, "Conversations.SearchKnowledge": {vigil.ActionSearch, "", ""},
	"ContactCenterInsights.ListConversations": {vigil.ActionSearch, classChat, "conversations"}, "ContactCenterInsights.GetConversation": {vigil.ActionRead, classChat, "conversations"},
	"ContactCenterInsights.ExportInsightsData": {vigil.ActionExport, classChat, "conversations"}, "ContactCenterInsights.BulkAnalyzeConversations": {vigil.ActionExecute, classChat, "conversations"},
	"ContactCenterInsights.DeleteConversation":       {vigil.ActionDelete, classChat, "conversations"},
	"SecuritySettingsService.CreateSecuritySettings": {vigil.ActionConfigure, "", "security settings"},
	"SecuritySettingsService.UpdateSecuritySettings": {vigil.ActionConfigure, classAudit, "security settings"},
	"SecuritySettingsService.DeleteSecuritySettings": {vigil.ActionConfigure, classAudit, "security settings"},
	"Agents.ExportAgent":                             {vigil.ActionExport, "", ""}, "Agents.RestoreAgent": {vigil.ActionConfigure, "", ""}, "Agents.ImportAgent": {vigil.ActionConfigure, "", ""},
	"TestCases.ExportTestCases": {vigil.ActionExport, "", ""}, "EntityTypes.ExportEntityTypes": {vigil.ActionExport, "", ""},
	"PredictionService.Predict": {vigil.ActionExecute, "", ""}, "PredictionService.GenerateContent": {vigil.ActionExecute, "", ""},
	"PredictionService.StreamGenerateContent": {vigil.ActionExecute, "", ""}, "PredictionService.RawPredict": {vigil.ActionExecute, "", ""},
	"ConversationalSearchService.ConverseConversation": {vigil.ActionSearch, classChat, ""}, "ConversationalSearchService.AnswerQuery": {vigil.ActionSearch, classChat, ""},
	"ConversationalSearchService.ListConversations": {vigil.ActionSearch, classChat, "conversations"}, "ConversationalSearchService.GetConversation": {vigil.ActionRead, classChat, "conversations"},

	// Firestore and Datastore.
	"Firestore.GetDocument": {vigil.ActionRead, "", ""}, "Firestore.BatchGetDocuments": {vigil.ActionRead, "", ""}, "Firestore.ListDocuments": {vigil.ActionSearch, "", ""},
	"Firestore.RunQuery": {vigil.ActionSearch, "", ""}, "Firestore.RunAggregationQuery": {vigil.ActionSearch, "", ""}, "Firestore.PartitionQuery": {vigil.ActionSearch, "", ""},
	"Firestore.ExecutePipeline": {vigil.ActionSearch, "", ""}, "Firestore.Listen": {vigil.ActionRead, "", ""}, "Firestore.ListCollectionIds": {vigil.ActionSearch, "", ""},
	"Firestore.Commit": {vigil.ActionWrite, "", ""}, "Firestore.Write": {vigil.ActionWrite, "", ""}, "Firestore.BatchWrite": {vigil.ActionWrite, "", ""},
	"Firestore.CreateDocument": {vigil.ActionWrite, "", ""}, "Firestore.UpdateDocument": {vigil.ActionWrite, "", ""}, "Firestore.DeleteDocument": {vigil.ActionDelete, "", ""},
	"Firestore.BeginTransaction": {vigil.ActionOther, "", ""}, "Firestore.Rollback": {vigil.ActionOther, "", ""},
	"FirestoreAdmin.ExportDocuments": {vigil.ActionExport, "", ""}, "FirestoreAdmin.BulkDeleteDocuments": {vigil.ActionDelete, "", ""}, "FirestoreAdmin.ImportDocuments": {vigil.ActionWrite, "", ""},
	"FirestoreAdmin.RestoreDatabase": {vigil.ActionExport, "", ""},
	"Datastore.Lookup":               {vigil.ActionRead, "", ""}, "Datastore.RunQuery": {vigil.ActionSearch, "", ""}, "Datastore.Commit": {vigil.ActionWrite, "", ""},
	"DatastoreAdmin.ExportEntities": {vigil.ActionExport, "", ""},

	// Spanner and Bigtable.
	"Spanner.ExecuteSql": {vigil.ActionExecute, "", ""}, "Spanner.ExecuteStreamingSql": {vigil.ActionExecute, "", ""}, "Spanner.Read": {vigil.ActionRead, "", ""},
	"Spanner.StreamingRead": {vigil.ActionRead, "", ""}, "Spanner.Commit": {vigil.ActionWrite, "", ""}, "Spanner.BatchWrite": {vigil.ActionWrite, "", ""},
	"Spanner.ExecuteBatchDml": {vigil.ActionWrite, "", ""}, "Spanner.PartitionQuery": {vigil.ActionExport, "", ""}, "Spanner.PartitionRead": {vigil.ActionExport, "", ""},
	"Spanner.CreateSession": {vigil.ActionOther, "", ""}, "Spanner.BatchCreateSessions": {vigil.ActionOther, "", ""}, "Spanner.DeleteSession": {vigil.ActionOther, "", ""},
	"Spanner.GetSession": {vigil.ActionOther, "", ""}, "Spanner.BeginTransaction": {vigil.ActionOther, "", ""}, "Spanner.Rollback": {vigil.ActionOther, "", ""},
	"DatabaseAdmin.UpdateDatabaseDdl": {vigil.ActionConfigure, "", ""}, "DatabaseAdmin.CreateBackup": {vigil.ActionExport, "", ""}, "DatabaseAdmin.CopyBackup": {vigil.ActionExport, "", ""},
	"DatabaseAdmin.RestoreDatabase": {vigil.ActionExport, "", ""},
	"Bigtable.ReadRows":             {vigil.ActionRead, "", ""}, "v2.ReadRows": {vigil.ActionRead, "", ""}, "Bigtable.ExecuteQuery": {vigil.ActionSearch, "", ""}, "Bigtable.SampleRowKeys": {vigil.ActionOther, "", ""},
	"Bigtable.MutateRow": {vigil.ActionWrite, "", ""}, "Bigtable.MutateRows": {vigil.ActionWrite, "", ""}, "Bigtable.CheckAndMutateRow": {vigil.ActionWrite, "", ""},
	"Bigtable.ReadModifyWriteRow": {vigil.ActionWrite, "", ""}, "Bigtable.ReadChangeStream": {vigil.ActionRead, "", ""},

	// Cloud Storage.
	"storage:objects.get": {vigil.ActionRead, "", ""}, "storage:objects.list": {vigil.ActionSearch, "", ""}, "storage:objects.create": {vigil.ActionWrite, "", ""},
	"storage:objects.update": {vigil.ActionWrite, "", ""}, "storage:objects.delete": {vigil.ActionDelete, "", ""}, "storage:objects.compose": {vigil.ActionWrite, "", ""},

	// Cloud SQL and BigQuery beyond their statements.
	"cloudsql:instances.export": {vigil.ActionExport, "", ""}, "cloudsql:instances.clone": {vigil.ActionExport, "", ""}, "cloudsql:backupRuns.create": {vigil.ActionExport, "", ""},
	"cloudsql:instances.restoreBackup": {vigil.ActionExport, "", ""}, "cloudsql:instances.login": {vigil.ActionLogin, "", ""}, "cloudsql:instances.connect": {vigil.ActionLogin, "", ""},
	"cloudsql:instances.query": {vigil.ActionExecute, "", ""}, "cloudsql:users.create": {vigil.ActionGrant, "", "users"}, "cloudsql:users.update": {vigil.ActionGrant, "", "users"},
	"cloudsql:instances.executeSql": {vigil.ActionExecute, "", ""},
	"JobService.InsertJob":          {vigil.ActionExecute, "", ""}, "JobService.Query": {vigil.ActionExecute, "", ""}, "jobservice.insert": {vigil.ActionExecute, "", ""},
	"jobservice.query": {vigil.ActionExecute, "", ""}, "jobservice.jobcompleted": {vigil.ActionExecute, "", ""}, "JobService.GetQueryResults": {vigil.ActionRead, "", ""},
	"TableDataService.List": {vigil.ActionRead, "", ""}, "tabledataservice.list": {vigil.ActionRead, "", ""}, "BigQueryRead.CreateReadSession": {vigil.ActionExport, "", ""},
	"BigQueryRead.ReadRows": {vigil.ActionRead, "", ""}, "TableDataService.InsertAll": {vigil.ActionWrite, "", ""}, "tabledataservice.insertall": {vigil.ActionWrite, "", ""},

	// Secrets, keys, tokens.
	"SecretManagerService.AccessSecretVersion": {vigil.ActionRead, classSecret, ""}, "SecretManagerService.AddSecretVersion": {vigil.ActionWrite, classSecret, ""},
	"cloudkms:Decrypt": {vigil.ActionExecute, "", ""}, "cloudkms:Encrypt": {vigil.ActionExecute, "", ""},
	"v1.CreateServiceAccountKey": {vigil.ActionGrant, "", ""}, "v1.UploadServiceAccountKey": {vigil.ActionGrant, "", ""}, "v1.CreateServiceAccount": {vigil.ActionGrant, "", ""},
	"v1.CreateRole": {vigil.ActionGrant, "", ""}, "v1.UpdateRole": {vigil.ActionGrant, "", ""}, "ApiKeys.CreateKey": {vigil.ActionGrant, "", ""}, "ApiKeys.GetKeyString": {vigil.ActionRead, classSecret, ""},
	"AdminService.addGroupMember": {vigil.ActionGrant, "", ""}, "AdminService.assignRole": {vigil.ActionGrant, "", ""},
	"LoginService.loginSuccess": {vigil.ActionLogin, "", ""}, "LoginService.loginFailure": {vigil.ActionLogin, "", ""}, "LoginService.logout": {vigil.ActionLogout, "", ""},

	// What keeps the record.
	"ConfigServiceV2.DeleteSink": {vigil.ActionConfigure, classAudit, ""}, "ConfigServiceV2.UpdateSink": {vigil.ActionConfigure, classAudit, ""},
	"ConfigServiceV2.DeleteBucket": {vigil.ActionConfigure, classAudit, ""}, "ConfigServiceV2.UpdateBucket": {vigil.ActionConfigure, classAudit, ""},
	"ConfigServiceV2.CreateExclusion": {vigil.ActionConfigure, classAudit, ""}, "ConfigServiceV2.UpdateExclusion": {vigil.ActionConfigure, classAudit, ""},
	"LoggingServiceV2.DeleteLog": {vigil.ActionDelete, classAudit, ""}, "LoggingServiceV2.ListLogEntries": {vigil.ActionSearch, classAudit, "log entries"},
	"LoggingServiceV2.ReadLogEntriesLegacy": {vigil.ActionSearch, classAudit, "log entries"}, "LoggingServiceV2.AggregateLogs": {vigil.ActionSearch, classAudit, "log entries"},
	"LoggingServiceV2.TailLogEntries": {vigil.ActionSearch, classAudit, "log entries"}, "ConfigServiceV2.CreateSink": {vigil.ActionConfigure, "", ""},
}

// lasts say the same by the last word alone, in small letters: calls that each service has.
var lasts = map[string]op{
	"setiampolicy": {action: vigil.ActionGrant}, "setiampermissions": {action: vigil.ActionGrant}, "getiampolicy": {action: vigil.ActionRead}, "testiampermissions": {action: vigil.ActionOther},
	"generateaccesstoken": {action: vigil.ActionLogin}, "generateidtoken": {action: vigil.ActionLogin}, "signjwt": {action: vigil.ActionGrant}, "signblob": {action: vigil.ActionGrant},
	"exchangetoken": {action: vigil.ActionLogin}, "createsnapshot": {action: vigil.ActionExport}, "authorizeuser": {action: vigil.ActionLogin},
	"insert": {action: vigil.ActionConfigure}, "patch": {action: vigil.ActionConfigure}, "aggregatedlist": {action: vigil.ActionSearch},
}

// data are the services whose calls write data rather than settings where the verb does
// not tell.
var data = map[string]bool{"firestore": true, "datastore": true, "bigtable": true}

// operation says what an entry's call does.
func operation(x *entry) op {
	if o, ok := calls[x.service+":"+x.call]; ok {
		return o
	}
	if o, ok := calls[x.call]; ok {
		return o
	}
	if o, ok := lasts[strings.ToLower(x.last)]; ok {
		return o
	}
	o := op{action: formats.Verb(x.last)}
	if o.action == vigil.ActionWrite && (!data[x.service] || strings.Contains(x.method, ".admin.")) {
		o.action = vigil.ActionConfigure
	}
	return o
}
