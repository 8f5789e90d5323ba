import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

export interface Product extends Stored {
  readonly object: 'product';
  readonly active: boolean;
  readonly created: number;
  readonly default_price: string | null;
  readonly description: string | null;
  readonly images: readonly string[];
  readonly livemode: false;
  readonly marketing_features: readonly object[];
  readonly metadata: Metadata;
  readonly name: string;
  readonly package_dimensions: null;
  readonly shippable: boolean | null;
  readonly statement_descriptor: string | null;
  readonly tax_code: string | null;
  readonly tax_details: null;
  readonly type: 'good' | 'service';
  readonly unit_label: string | null;
  readonly updated: number;
  readonly url: string | null;
}
