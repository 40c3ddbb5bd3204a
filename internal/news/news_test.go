package news_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"vigil/internal/api"
	"vigil/internal/news"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// soon asks what changed, and gives up when nothing does for a while.
func soon(t *testing.T, h *news.Hub, mark string, topics ...api.Topic) (changed []api.Topic, next string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return h.Changed(ctx, mark, topics)
}

func TestWhoWaitsIsToldOfItsTopicsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := news.New()
		var changed []api.Topic
		var err error
		var done sync.WaitGroup
		done.Go(func() {
			changed, _, err = soon(t, h, "", api.TopicQueue, api.FindingTopic("f-1"))
		})
		synctest.Wait()
		h.Publish(api.TopicStatus, api.FindingTopic("f-2"))
		synctest.Wait()
		h.Publish(api.FindingTopic("f-1"))
		done.Wait()
		if err != nil || !slices.Equal(changed, []api.Topic{"finding/f-1"}) {
			t.Errorf("%v, %v", changed, err)
		}
	})
}

func TestWhatChangedBetweenTwoQuestionsIsNotMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := news.New()
		_, mark, err := soon(t, h, "", api.TopicQueue)
		if !errors.Is(err, context.DeadlineExceeded) || mark == "" {
			t.Fatalf("mark %q, %v", mark, err)
		}
		h.Publish(api.TopicQueue)
		h.Publish(api.TopicStatus)
		changed, next, err := soon(t, h, mark, api.TopicQueue, api.TopicDrills)
		if err != nil || !slices.Equal(changed, []api.Topic{api.TopicQueue}) || next == mark {
			t.Errorf("%v, %q after %q, %v", changed, next, mark, err)
		}
		if _, _, err = soon(t, h, next, api.TopicQueue); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("told twice: %v", err)
		}
	})
}

func TestAMarkThatIsNotKnownGetsEverything(t *testing.T) {
	t.Parallel()
	_, earlier, _ := func() ([]api.Topic, string, error) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return news.New().Changed(ctx, "", []api.Topic{api.TopicQueue})
	}()
	h := news.New()
	for _, mark := range []string{earlier, "x", "-", "-1", "9-9-9", "\x00"} {
		changed, _, err := soon(t, h, mark, api.TopicQueue, api.TopicStatus)
		if err != nil || len(changed) != 2 {
			t.Errorf("%q: %v, %v", mark, changed, err)
		}
	}
}

func TestItRemembersNoMoreThanItsBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := news.New()
		_, mark, _ := soon(t, h, "", api.TopicQueue)
		for i := range 5000 {
			h.Publish(api.CaseTopic(fmt.Sprint(i)))
		}
		if changed, _, err := soon(t, h, mark, api.TopicQueue); err != nil || len(changed) != 1 {
			t.Errorf("what was forgotten is not told as changed: %v, %v", changed, err)
		}
	})
}

func TestEndLetsEverybodyGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := news.New()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if _, _, err := soon(t, h, "", api.TopicQueue); !errors.Is(err, api.ErrEnding) {
					t.Errorf("%v", err)
				}
			})
		}
		synctest.Wait()
		h.End()
		h.End()
		all.Wait()
	})
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	h := news.New()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			mark := ""
			for {
				changed, next, err := h.Changed(t.Context(), mark, []api.Topic{api.TopicQueue, api.TopicStatus})
				if errors.Is(err, api.ErrEnding) {
					return
				}
				if err != nil || len(changed) == 0 || next == mark {
					t.Errorf("%v %q %v", changed, next, err)
					return
				}
				mark = next
			}
		})
	}
	for range 500 {
		h.Publish(api.TopicQueue)
		h.Publish(api.TopicStatus)
	}
	h.End()
	all.Wait()
}
