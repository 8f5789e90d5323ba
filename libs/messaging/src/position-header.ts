/** `Tidegate-Position: <epoch>:<position>`: where a message stands in its owner's outbox. */
export const POSITION_HEADER = 'Tidegate-Position';
export const AGGREGATE_HEADER = 'Tidegate-Aggregate';

export interface Place {
  epoch: number;
  position: number;
}

export const formatPlace = ({ epoch, position }: Place): string => `${epoch}:${position}`;

/** Null for anything that is not two positive whole numbers. */
export function parsePlace(text: string | undefined): Place | null {
  const match = /^([1-9]\d{0,15}):([1-9]\d{0,15})$/.exec(text ?? '');
  return match ? { epoch: Number(match[1]), position: Number(match[2]) } : null;
}
