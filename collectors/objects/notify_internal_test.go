package objects

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The bodies are those that the stores' documentation shows, shortened where nothing is read.
func TestReferences(t *testing.T) {
	t.Parallel()
	const s3 = `{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.000Z","eventName":"ObjectCreated:Put","userIdentity":{"principalId":"AIDAJDPLRKLG7UEXAMPLE"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},"s3":{"s3SchemaVersion":"1.0","configurationId":"testConfigRule","bucket":{"name":"amzn-s3-demo-bucket","ownerIdentity":{"principalId":"A3NL1KOZZKExample"},"arn":"arn:aws:s3:::amzn-s3-demo-bucket"},"object":{"key":"red+flower%C3%BC%2B.log","size":1024,"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}},{"eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"amzn-s3-demo-bucket"},"object":{"key":"gone"}}}]}`
	flower := []reference{{"amzn-s3-demo-bucket", "red flowerü+.log", "d41d8cd98f00b204e9800998ecf8427e"}}
	grid := func(kind string) string {
		return `[{"topic":"/subscriptions/s/resourceGroups/Storage/providers/Microsoft.Storage/storageAccounts/my-storage-account","subject":"/blobServices/default/containers/test-container/blobs/a/new file.txt","eventType":"` + kind + `","eventTime":"2017-06-26T18:41:00.9584103Z","id":"831e1650-001e-001b-66ab-eeb76e069631","data":{"api":"PutBlockList","eTag":"\"0x8D4BCC2E4835CD0\"","contentType":"text/plain","contentLength":524288,"blobType":"BlockBlob","url":"https://my-storage-account.blob.core.windows.net/test-container/a/new file.txt"},"dataVersion":"","metadataVersion":"1"}]`
	}
	for name, c := range map[string]struct {
		body       string
		attributes map[string]string
		want       []reference
		wrong      bool
	}{
		"S3":                   {body: s3, want: flower},
		"S3 by SNS":            {body: `{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:us-west-2:1:t","Subject":"Amazon S3 Notification","Message":` + quoted(s3) + `,"Timestamp":"2026-11-02T09:00:00.000Z"}`, want: flower},
		"S3's test":            {body: `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"amzn-s3-demo-bucket","RequestId":"5582815E1AEA5ADF","HostId":"x"}`},
		"EventBridge":          {body: `{"version":"0","id":"17793124-05d4-b198-2fde-7ededc63b103","detail-type":"Object Created","source":"aws.s3","account":"111122223333","time":"2021-11-12T00:00:00Z","region":"ca-central-1","resources":["arn:aws:s3:::amzn-s3-demo-bucket1"],"detail":{"version":"0","bucket":{"name":"amzn-s3-demo-bucket1"},"object":{"key":"example+key","size":5,"etag":"b1946ac92492d2347c6235b4d2611184","version-id":"IYV3p45BT0ac8hjHg1houSdS1a.Mro8e","sequencer":"617f08299329d189"},"request-id":"N4N7GDK58NMKJ12R","requester":"123456789012","reason":"PutObject"}}`, want: []reference{{"amzn-s3-demo-bucket1", "example+key", "b1946ac92492d2347c6235b4d2611184"}}},
		"EventBridge, deleted": {body: `{"detail-type":"Object Deleted","source":"aws.s3","detail":{"bucket":{"name":"b"},"object":{"key":"k"}}}`},
		"CloudTrail":           {body: `{"s3Bucket":"your-bucket-name","s3ObjectKey":["AWSLogs/123456789012/CloudTrail/us-east-2/2013/12/13/123456789012_CloudTrail_us-west-2_20131213T1920Z_LnPgDQnpkSKEsppV.json.gz"]}`, want: []reference{{bucket: "your-bucket-name", key: "AWSLogs/123456789012/CloudTrail/us-east-2/2013/12/13/123456789012_CloudTrail_us-west-2_20131213T1920Z_LnPgDQnpkSKEsppV.json.gz"}}},
		"Cloud Storage":        {body: `{"kind":"storage#object"}`, attributes: map[string]string{"notificationConfig": "projects/_/buckets/b/notificationConfigs/3", "eventType": "OBJECT_FINALIZE", "payloadFormat": "JSON_API_V1", "bucketId": "b", "objectId": "a/b c.log", "objectGeneration": "1456159047417000"}, want: []reference{{"b", "a/b c.log", "1456159047417000"}}},
		"Cloud Storage, gone":  {attributes: map[string]string{"eventType": "OBJECT_DELETE", "bucketId": "b", "objectId": "o"}},
		"Event Grid":           {body: grid("Microsoft.Storage.BlobCreated"), want: []reference{{"test-container", "a/new file.txt", "0x8D4BCC2E4835CD0"}}},
		"Event Grid, deleted":  {body: grid("Microsoft.Storage.BlobDeleted")},
		"CloudEvent":           {body: `{"source":"/subscriptions/s","subject":"/blobServices/default/containers/c/blobs/b.txt","type":"Microsoft.Storage.BlobCreated","time":"2017-06-26T18:41:00.9584103Z","id":"1","specversion":"1.0","data":{"eTag":"0x8D4BCC2E4835CD0"}}`, want: []reference{{"c", "b.txt", "0x8D4BCC2E4835CD0"}}},
		"nothing":              {wrong: true},
		"text":                 {body: "hello", wrong: true},
		"other JSON":           {body: `{"a":1}`, wrong: true},
		"a broken key":         {body: `{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"%zz"}}}]}`, wrong: true},
		"SNS within SNS":       {body: `{"Type":"Notification","Message":"{\"Type\":\"Notification\",\"Message\":\"{}\"}"}`, wrong: true},
		"a list of nonsense":   {body: `[1,2]`, wrong: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := references([]byte(c.body), c.attributes)
			if (err != nil) != c.wrong {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(reference{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzReferences(f *testing.F) {
	f.Add(`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"%20"}}}]}`)
	f.Add(`[{"eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/c/blobs/b"}]`)
	f.Fuzz(func(t *testing.T, body string) {
		refs, err := references([]byte(body), nil)
		if err != nil && refs != nil {
			t.Error("an error with references")
		}
	})
}
