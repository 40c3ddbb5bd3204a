package ocsf

import "time"

// The identifiers of the class, its activities and its enums, as the schema numbers them.
const (
	classUID    = 2004
	categoryUID = 2

	activityCreate = 1
	activityUpdate = 2
	activityClose  = 3

	statusNew        = 1
	statusInProgress = 2
	statusSuppressed = 3
	statusResolved   = 4

	severityInformational = 1

	analyticRule       = 1
	analyticBehavioral = 2

	observableSubnet   = 12
	observableUserUID  = 31
	observableGroup    = 32
	observableResource = 38
	observableOther    = 99

	userOther = 99
)

// detection is a Detection Finding: the attributes of the class that are used here.
type detection struct {
	ActivityID   int    `json:"activity_id"`
	ActivityName string `json:"activity_name"`
	CategoryUID  int    `json:"category_uid"`
	CategoryName string `json:"category_name"`
	ClassUID     int    `json:"class_uid"`
	ClassName    string `json:"class_name"`
	TypeUID      int    `json:"type_uid"`
	TypeName     string `json:"type_name"`

	// Times are milliseconds since 1970.
	Time      int64 `json:"time"`
	StartTime int64 `json:"start_time,omitempty"`
	EndTime   int64 `json:"end_time,omitempty"`

	SeverityID int    `json:"severity_id"`
	Severity   string `json:"severity"`
	StatusID   int    `json:"status_id"`
	Status     string `json:"status"`
	IsAlert    bool   `json:"is_alert"`
	Message    string `json:"message,omitempty"`
	Comment    string `json:"comment,omitempty"`

	ConfidenceID    int    `json:"confidence_id,omitempty"`
	Confidence      string `json:"confidence,omitempty"`
	ConfidenceScore *int   `json:"confidence_score,omitempty"`
	RiskLevelID     int    `json:"risk_level_id,omitempty"`
	RiskLevel       string `json:"risk_level,omitempty"`
	RiskScore       *int   `json:"risk_score,omitempty"`

	// Of the profile "incident".
	VerdictID         int    `json:"verdict_id,omitempty"`
	Verdict           string `json:"verdict,omitempty"`
	IsSuspectedBreach *bool  `json:"is_suspected_breach,omitempty"`
	Assignee          *user  `json:"assignee,omitempty"`
	SrcURL            string `json:"src_url,omitempty"`

	Metadata    metadata    `json:"metadata"`
	FindingInfo findingInfo `json:"finding_info"`
	// Of the profile "host".
	Actor           *actor            `json:"actor,omitempty"`
	Resources       []resource        `json:"resources,omitempty"`
	Evidences       []evidence        `json:"evidences,omitempty"`
	AnomalyAnalyses []anomalyAnalysis `json:"anomaly_analyses,omitempty"`
	Observables     []observable      `json:"observables,omitempty"`
	Unmapped        unmapped          `json:"unmapped"`

	// at is when what it tells came to be.
	at time.Time
}

type metadata struct {
	Version         string   `json:"version"`
	UID             string   `json:"uid"`
	CorrelationUID  string   `json:"correlation_uid,omitempty"`
	Sequence        int      `json:"sequence,omitempty"`
	Product         product  `json:"product"`
	Profiles        []string `json:"profiles"`
	TenantUID       string   `json:"tenant_uid,omitempty"`
	IsTruncated     *bool    `json:"is_truncated,omitempty"`
	UntruncatedSize int      `json:"untruncated_size,omitempty"`
}

type product struct {
	Name       string `json:"name"`
	VendorName string `json:"vendor_name"`
	Version    string `json:"version,omitempty"`
}

type findingInfo struct {
	UID                string         `json:"uid"`
	Title              string         `json:"title"`
	Desc               string         `json:"desc,omitempty"`
	Types              []string       `json:"types,omitempty"`
	Analytic           *analytic      `json:"analytic,omitempty"`
	CreatedTime        int64          `json:"created_time,omitempty"`
	ModifiedTime       int64          `json:"modified_time,omitempty"`
	FirstSeenTime      int64          `json:"first_seen_time,omitempty"`
	LastSeenTime       int64          `json:"last_seen_time,omitempty"`
	DataSources        []string       `json:"data_sources,omitempty"`
	RelatedEvents      []relatedEvent `json:"related_events,omitempty"`
	RelatedEventsCount int            `json:"related_events_count,omitempty"`
	SrcURL             string         `json:"src_url,omitempty"`
}

type analytic struct {
	Name   string `json:"name"`
	UID    string `json:"uid,omitempty"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type relatedEvent struct {
	UID string `json:"uid"`
}

type actor struct {
	User user `json:"user"`
}

type user struct {
	UID    string  `json:"uid"`
	TypeID int     `json:"type_id,omitempty"`
	Type   string  `json:"type,omitempty"`
	Groups []group `json:"groups,omitempty"`
	Org    *org    `json:"org,omitempty"`
}

type group struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type org struct {
	UID string `json:"uid"`
}

type resource struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// evidence holds one thing that speaks: who came from where, or a term of the evidence.
type evidence struct {
	Name        string    `json:"name,omitempty"`
	Actor       *actor    `json:"actor,omitempty"`
	SrcEndpoint *endpoint `json:"src_endpoint,omitempty"`
	Data        *term     `json:"data,omitempty"`
}

type endpoint struct {
	Name string `json:"name"`
}

// term is a contribution as it is, without a number where that would say nothing.
type term struct {
	Text          string   `json:"text,omitempty"`
	Model         string   `json:"model,omitempty"`
	Observation   string   `json:"observation,omitempty"`
	Span          string   `json:"span,omitempty"`
	SpanStart     string   `json:"span_start,omitempty"`
	Frame         string   `json:"frame,omitempty"`
	Seen          *float64 `json:"seen,omitempty"`
	Expected      *float64 `json:"expected,omitempty"`
	Low           *float64 `json:"low,omitempty"`
	High          *float64 `json:"high,omitempty"`
	SeenLabel     string   `json:"seen_label,omitempty"`
	ExpectedLabel string   `json:"expected_label,omitempty"`
	P             *float64 `json:"p,omitempty"`
	Share         *float64 `json:"share,omitempty"`
}

type anomalyAnalysis struct {
	AnalysisTargets []target  `json:"analysis_targets"`
	Anomalies       []anomaly `json:"anomalies"`
	Baselines       []anomaly `json:"baselines,omitempty"`
}

type target struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// anomaly is also the form of a baseline: the schema gives both the same attributes.
type anomaly struct {
	Parameter    string        `json:"observation_parameter"`
	Type         string        `json:"observation_type"`
	Observations []observation `json:"observations"`
}

type observation struct {
	Value string `json:"value"`
}

type observable struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
	Value  string `json:"value"`
}
