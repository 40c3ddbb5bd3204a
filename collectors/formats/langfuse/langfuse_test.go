package langfuse_test

import (
	"testing"

	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/langfuse"
)

func TestGolden(t *testing.T) {
	t.Parallel()
	formatstest.Golden(t, langfuse.New(), "testdata")
}

func TestRealSamples(t *testing.T) {
	t.Parallel()
	const rendered = "what a viewer makes of the messages within a trace: neither times nor actors"
	formatstest.Samples{
		Dirs: []string{"langfuse_traces", "langfuse_audit"},
		Foreign: map[string]string{
			"langfuse-test-beeai-2025-08-01.chatml.json":                    rendered,
			"langfuse-test-crewai-2025-07-11.chatml.json":                   rendered,
			"langfuse-test-csharp-agent-with-gemini-2026-03-09.chatml.json": rendered,
			"langfuse-test-llamaindex-2025-06-05.chatml.json":               rendered,
			"langfuse-test-microsoft-agent-2025-12-17.chatml.json":          rendered,
			"langfuse-test-openai-agents-2025-09-30.chatml.json":            rendered,
			"langfuse-test-pydantic-ai-2025-06-06.chatml.json":              rendered,
			"langfuse-test-pydantic-ai-with-gemini-2025-12-24.chatml.json":  rendered,
			"langfuse-auditLog.ts.txt":                                      "the source that writes the audit log, no log",
		},
	}.Check(t, langfuse.New())
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"trace":{"id":"t","projectId":"p","name":"n","timestamp":"2026-03-02T09:00:00Z","sessionId":"s"},"observations":[{"id":"o","traceId":"t","type":"TOOL","name":"get_x","startTime":"2026-03-02T09:00:00Z","parentObservationId":"o","metadata":"{\"attributes\":{}}"}]}`)
	f.Add(`{"id":"al","createdAt":"2026-03-02T10:00:00Z","userId":"u","orgId":"o","resourceType":"apiKey","resourceId":"k","action":"create"}`)
	f.Fuzz(func(t *testing.T, input string) { formatstest.Fuzz(t, langfuse.New(), formats.Options{}, input) })
}
