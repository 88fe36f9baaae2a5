// What cameras saw of an incident, kept.

export interface ClipPart {
  evidence_id: string;
  started_at: string;
  ended_at: string;
  n_bytes: number;
  pictures: number;
  mime: string;
  width_px: number;
  height_px: number;
}

/** What one camera saw of an incident, from before the alarm on. */
export interface EvidenceClip {
  id: string;
  incident_id: string;
  camera_id: string;
  since: string;
  until: string;
  state: 'wanted' | 'recording' | 'kept' | 'empty' | 'failed';
  requested_at: string;
  updated_at: string;
  parts: ClipPart[];
  detail: string;
}

/** A picture or document that somebody added. */
export interface Attachment {
  evidence_id: string;
  name: string;
  media_type: string;
  size_bytes: number;
  at: string;
  actor: string;
}
