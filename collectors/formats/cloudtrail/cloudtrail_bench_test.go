//go:build !race

package cloudtrail_test

import (
	"bytes"
	"fmt"
	"testing"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/cloudtrail"
	"vigil/collectors/formats/formatstest"
)

// reads makes n records of reads from S3 and DynamoDB by some hundred role sessions, of
// the length that data events have.
func reads(n int, between, end string) []byte {
	var b bytes.Buffer
	for i := range n {
		if i > 0 {
			b.WriteString(between)
		}
		what := fmt.Sprintf(`"eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.%d","userAgent":"[aws-sdk-java/2.25.1 Linux/5.10.0 OpenJDK_64-Bit_Server_VM/17.0.9+8-LTS Java/17.0.9 exec-env/AWS_ECS_FARGATE io/sync http/Apache cfg/retry-mode/standard]","requestParameters":{"bucketName":"chat-transcripts","Host":"chat-transcripts.s3.eu-west-1.amazonaws.com","key":"acme/2026/11/c-%d.json"},"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader","x-amz-id-2":"Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4","bytesTransferredOut":%d}`, i%200, i, 1000+i%5000)
		if i%2 == 1 {
			what = fmt.Sprintf(`"eventSource":"dynamodb.amazonaws.com","eventName":"Query","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.%d","userAgent":"[aws-sdk-java/2.25.1 Linux/5.10.0 OpenJDK_64-Bit_Server_VM/17.0.9+8-LTS Java/17.0.9 exec-env/AWS_ECS_FARGATE io/sync http/Apache cfg/retry-mode/standard]","requestParameters":{"tableName":"Conversations","limit":50,"keyConditionExpression":"customer_id = :c","scanIndexForward":false,"consistentRead":false,"returnConsumedCapacity":"NONE"},"responseElements":null`, i%200)
		}
		fmt.Fprintf(&b, `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEEXAMPLE:agent%[1]d","arn":"arn:aws:sts::111122223333:assumed-role/SupportDesk/agent%[1]d","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE%08[1]d","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEEXAMPLE","arn":"arn:aws:iam::111122223333:role/SupportDesk","accountId":"111122223333","userName":"SupportDesk"},"attributes":{"creationDate":"2026-11-24T09:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-11-24T10:%02[2]d:%02[3]dZ",%[4]s,"requestID":"REQ%012[5]d","eventID":"%08[5]x-0000-4000-8000-%012[5]x","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::chat-transcripts/acme/2026/11/c-%[5]d.json"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::chat-transcripts"}],"eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"111122223333","eventCategory":"Data","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"chat-transcripts.s3.eu-west-1.amazonaws.com"}}`,
			i%150, i/60%60, i%60, what, i)
	}
	b.WriteString(end)
	return b.Bytes()
}

func BenchmarkDecode(b *testing.B) {
	const n = 10_000
	opts := formats.Options{Source: "trail", File: "f", Mapping: &formats.Mapping{
		Paths:  []formats.Path{{Template: "chat-transcripts/{tenant}/*/*/{conversation}.json", Class: "chat"}},
		Tables: map[string]formats.Table{"conversations": {Class: "chat", Columns: map[string]formats.Meaning{"customer_id": formats.MeansSubject}}},
	}}
	for name, input := range map[string][]byte{
		"lines":     reads(n, "\n", "\n"),
		"delivered": bytes.ReplaceAll(append([]byte(`{"Records":[`), reads(n, ",", "]}\n")...), []byte("\x00"), nil),
		"small files": func() []byte {
			var all []byte
			for range n / 500 {
				all = append(append(all, `{"Records":[`...), reads(500, ",", "]}\n")...)
			}
			return all
		}(),
	} {
		b.Run(name, func(b *testing.B) {
			f := cloudtrail.New()
			b.SetBytes(int64(len(input)))
			b.ReportAllocs()
			for b.Loop() {
				d, err := f.New(opts)
				if err != nil {
					b.Fatal(err)
				}
				events := 0
				emit := func(*vigil.Event, formats.Line) { events++ }
				formatstest.Lines(d, string(input), func(l formats.Line) {
					if err := d.Decode(l, emit); err != nil {
						b.Fatal(err)
					}
				})
				if err := d.Flush(emit); err != nil || events == 0 {
					b.Fatal(events, err)
				}
			}
			b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
